"""Lines arrive whole, at any pace, and one that is too long costs nothing but itself."""

import os

import pytest

from raylm.engine.generation.inbox import MAX_LINE, Inbox


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield Inbox(read), write
    os.close(read)


def test_a_line_is_taken_once_it_is_whole(pipe):
    inbox, write = pipe
    os.write(write, b"one\ntw")
    assert inbox.lines() == [b"one"]
    os.write(write, b"o\nthree\n\n  \n")
    assert inbox.lines() == [b"two", b"three"]
    os.write(write, b"last")
    os.close(write)
    assert inbox.lines() == []
    assert not inbox.is_closed
    assert inbox.lines() == [b"last"]
    assert inbox.is_closed
    assert inbox.lines() == []


def test_a_line_that_is_too_long_is_named_once_and_not_kept(pipe):
    inbox, write = pipe
    found, piece = [], b"x" * 50_000  # less than a pipe holds
    for _ in range(3 * MAX_LINE // len(piece)):
        os.write(write, piece)
        found += inbox.lines()
        assert len(inbox._rest) <= MAX_LINE + len(piece)
    os.write(write, b"\nnext\n")
    found += inbox.lines()
    assert found == [None, b"next"]
    os.close(write)


def test_a_line_of_the_most_bytes_is_taken(pipe):
    inbox, write = pipe
    found = []
    for start in range(0, MAX_LINE, 50_000):
        os.write(write, b"x" * min(50_000, MAX_LINE - start))
        found += inbox.lines()
    os.write(write, b"\n")
    found += inbox.lines()
    assert [len(line) for line in found] == [MAX_LINE]
    os.close(write)


def test_silence_is_waited_for_and_counted(pipe):
    inbox, write = pipe
    assert inbox.lines(0.2) == []
    assert inbox.idle_seconds() >= 0.2
    os.write(write, b"half")
    assert inbox.lines() == []
    assert inbox.idle_seconds() < 0.2
    os.close(write)
