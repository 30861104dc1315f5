import json
import math
import time

import pytest

from raylm.config.errors import BadInput
from raylm.runs import MetricsWriter, Run, StepRecord, append, curve, fork, last_record, read, seal


def write(run, attempt, records):
    writer = MetricsWriter(run, attempt)
    for record in records:
        writer.append(record)
    writer.close()


def read_all(run, stream="metrics", limit=1000):
    records, cursor = read(run, stream, limit=limit)
    found = list(records)
    while records:
        records, cursor = read(run, stream, cursor, limit)
        found += records
    return found


def test_records_come_back_as_they_were(run, record):
    records = [record(step, loss=1 / step) for step in range(1, 8)]
    write(run, 1, records)
    assert [StepRecord.from_dict(one) for one in read_all(run)] == records
    assert last_record(run.folder)["step"] == 7


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_a_cursor_goes_on_where_it_stopped(run, record, limit):
    for attempt in (1, 2, 3):
        write(run, attempt, [record(step, attempt) for step in range(1, 5)])
    found = read_all(run, limit=limit)
    assert [(one["attempt"], one["step"]) for one in found] == [
        (a, s) for a in (1, 2, 3) for s in range(1, 5)
    ]


def test_a_reader_follows_a_writer(tmp_path, record):
    run = Run.create(tmp_path, "followed", {})
    records, cursor = read(run, "metrics")
    assert records == []
    writer = MetricsWriter(run, 1)
    for step in range(1, 4):
        writer.append(record(step))
        records, cursor = read(run, "metrics", cursor)
        assert [one["step"] for one in records] == [step]
    assert read(run, "metrics", cursor)[0] == []
    writer.close()


def test_an_object_store_gets_the_records_within_seconds_and_in_segments(record, monkeypatch):
    monkeypatch.setattr(append, "FLUSH_EVERY_S", 0.02)
    monkeypatch.setattr(append, "SEGMENT_BYTES", 500)
    run = Run.create("memory://segments", f"run-{time.time_ns()}", {})
    writer = MetricsWriter(run, 1)
    end = time.monotonic() + 10
    step = 0
    while len(append.segments(run.folder)) < 3 and time.monotonic() < end:
        step += 1
        writer.append(record(step))
        time.sleep(0.002)
    assert len(append.segments(run.folder)) >= 3
    writer.close()
    assert [one["step"] for one in read_all(run)] == list(range(1, step + 1))
    write(run, 1, [record(step + 1)])  # a writer that comes again does not overwrite
    assert read_all(run)[-1]["step"] == step + 1


def test_nan_and_infinity_are_null_in_the_file_and_come_back(run, record):
    write(run, 1, [record(1, loss=math.nan, **{"train/grad_norm": -math.inf, "eval/loss": 2.0})])
    text = run.folder.read("metrics-a1-00000.jsonl").decode()
    line = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert line["train/loss"] is None
    assert line["nonfinite"] == {"train/loss": "nan", "train/grad_norm": "-inf"}
    metrics = StepRecord.from_dict(line).metrics
    assert math.isnan(metrics["train/loss"])
    assert metrics["train/grad_norm"] == -math.inf
    assert metrics["eval/loss"] == 2.0
    [(step, value)] = curve(run, "train/loss")
    assert step == 1
    assert math.isnan(value)


def test_readers_never_fail_on_a_file_torn_at_any_byte(run, record):
    whole = b"".join(record(step, loss=0.1 * step).to_line() for step in range(1, 4))
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        run.folder.write("metrics-a1-00000.jsonl", whole[:cut])
        lines = sum(end <= cut for end in ends)
        assert len(read(run, "metrics")[0]) == lines
        assert len(curve(run, "train/loss")) == lines
        assert (last_record(run.folder) or {"step": 0})["step"] == lines


def test_a_torn_tail_is_completed_by_the_next_read(run, record):
    lines = [record(step).to_line() for step in range(1, 4)]
    run.folder.write("metrics-a1-00000.jsonl", lines[0] + lines[1][:10])
    records, cursor = read(run, "metrics")
    assert [one["step"] for one in records] == [1]
    run.folder.write("metrics-a1-00000.jsonl", b"".join(lines))
    assert [one["step"] for one in read(run, "metrics", cursor)[0]] == [2, 3]


def test_a_new_attempt_cuts_torn_tails_at_every_byte(tmp_path, record):
    run = Run.create(tmp_path, "sealed", {})
    first, second = record(1).to_line(), record(2).to_line()
    for cut in range(len(second)):
        run.folder.write("metrics-a1-00000.jsonl", first + second[:cut])
        seal(run, 2)
        assert run.folder.read("metrics-a1-00000.jsonl") == first
    run.folder.write("metrics-a1-00000.jsonl", second[:9])
    seal(run, 2)
    assert run.folder.read("metrics-a1-00000.jsonl") == b""
    run.folder.write("metrics-a2-00000.jsonl", first[:9])
    seal(run, 2)
    assert run.folder.read("metrics-a2-00000.jsonl") == first[:9]  # its own attempt's is not an old writer's


def test_a_damaged_line_in_the_middle_is_passed_over(run, record):
    data = record(1).to_line() + b'{"step": 2, "tr\xff\n' + b"[1]\n" + record(3).to_line()
    run.folder.write("metrics-a1-00000.jsonl", data)
    assert [one["step"] for one in read_all(run)] == [1, 3]
    assert [one["step"] for one in read_all(run, limit=1)] == [1, 3]
    assert [step for step, _ in curve(run, "train/loss")] == [1, 3]


def test_the_newest_attempt_wins(run, record):
    write(run, 1, [record(step, 1, loss=1.0) for step in range(1, 11)])
    write(run, 2, [record(step, 2, loss=2.0) for step in range(6, 9)])
    write(run, 3, [record(8, 3, loss=3.0)])
    assert curve(run, "train/loss") == [(s, 1.0) for s in range(1, 6)] + [(6, 2.0), (7, 2.0), (8, 3.0)]
    assert curve(run, "no/such") == []


def test_an_attempt_replaces_also_what_it_has_not_measured_yet(run, record):
    write(run, 1, [record(step, 1, **({"eval/loss": 1.0} if step % 2 == 0 else {})) for step in range(1, 9)])
    write(run, 2, [record(5, 2)])
    assert curve(run, "eval/loss") == [(2, 1.0), (4, 1.0)]


def test_an_old_writer_that_comes_back_is_ignored(run, record):
    write(run, 1, [record(step, 1, loss=1.0) for step in range(1, 4)])
    write(run, 2, [record(step, 2, loss=2.0) for step in range(3, 6)])
    stale = b"".join(record(step, 1, loss=9.0).to_line() for step in range(4, 9))
    data = run.folder.read("metrics-a1-00000.jsonl")
    run.folder.write("metrics-a1-00000.jsonl", data + stale)
    assert curve(run, "train/loss") == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0), (5, 2.0)]


def test_a_forks_curve_is_joined_with_its_ancestors(run, record, save):
    run.claim_launch("a: 1\n", how="here")
    write(run, 1, [record(step, 1, loss=1.0) for step in range(1, 11)])
    save(run, 6)
    child = fork(run, 6)
    write(child, 1, [record(step, 1, loss=2.0) for step in range(7, 10)])
    save(child, 8)
    grandchild = fork(child, 8)
    write(grandchild, 1, [record(step, 1, loss=3.0) for step in range(9, 11)])
    expected = [(s, 1.0) for s in range(1, 7)] + [(7, 2.0), (8, 2.0), (9, 3.0), (10, 3.0)]
    assert curve(grandchild, "train/loss") == expected
    for limit in (1, 4, 1000):
        records = read_all(grandchild, limit=limit)
        assert [(one["step"], one["train/loss"]) for one in records] == expected
        owners = [one.get("run_id", grandchild.run_id) for one in records]
        assert owners == [run.run_id] * 6 + [child.run_id] * 2 + [grandchild.run_id] * 2


def test_a_forks_curve_lives_on_when_the_parent_was_moved(run, record, save):
    run.claim_launch("a: 1\n", how="here")
    write(run, 1, [record(1)])
    save(run, 1)
    child = fork(run, 1)
    write(child, 1, [record(2)])
    run.folder.remove_tree()
    assert [step for step, _ in curve(child, "train/loss")] == [2]


def test_events_of_several_writers_are_merged_in_time(run):
    other = Run.open(run.storage, run.run_id)
    for number in range(3):
        run.emit("driver", "one", number=number)
        other.emit("rank0", "two", number=number)
    expected = [(event, number) for number in range(3) for event in ("one", "two")]
    for limit in (1, 2, 1000):
        found = read_all(run, "events", limit)
        assert sorted((one["event"], one["number"]) for one in found) == sorted(expected)
    assert [(one["event"], one["number"]) for one in run.events()] == expected
    _, cursor = read(run, "events")
    other.emit("rank0", "late")
    assert [one["event"] for one in read(run, "events", cursor)[0]] == ["late"]


def test_logs_are_read_by_lines_and_safe_to_show(run):
    text = (
        "plain\n\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\nabc\u202edef\n"
        + "x" * 9000
        + "\ntorn"
    )
    run.folder.write("logs/driver.log", text.encode())
    lines = [one["line"] for one in read_all(run, "logs/driver.log", 1)]
    assert lines[:3] == ["plain", "red link", "abcdef"]
    assert len(lines[3]) == 4097
    assert len(lines) == 4


@pytest.mark.parametrize("stream", ["", "metric", "logs/", "logs/../run.json", "logs/nothing", "../x"])
def test_an_unknown_stream_is_bad_input(run, stream):
    with pytest.raises(BadInput):
        read(run, stream)


@pytest.mark.parametrize("cursor", ["", "x", "%", "bm9uc2Vuc2U=", "WyJldmVudHMiLCB7fV0="])
def test_a_foreign_cursor_is_bad_input(run, cursor):
    with pytest.raises(BadInput, match="cursor"):
        read(run, "metrics", cursor)


def test_appending_a_record_costs_microseconds(tmp_path, record, capsys):
    run = Run.create(tmp_path, "speed", {})
    writer = MetricsWriter(run, 1)
    metrics = {f"train/metric_{number}": 0.123456789 * number for number in range(8)}
    begun = time.perf_counter()
    for step in range(1, 5001):
        writer.append(record(step, **metrics))
    each = (time.perf_counter() - begun) / 5000
    writer.close()
    with capsys.disabled():
        print(f"\nMetricsWriter.append: {each * 1e6:.1f} us a record")
    assert len(curve(run, "train/loss")) == 5000
