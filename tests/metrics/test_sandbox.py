"""Programs that a model wrote are cut off, kept from files, processes and network, and judged honestly."""

import time
from pathlib import Path

import pytest

from raylm.metrics.sandbox import run_program, run_programs


def refused(line):
    """A program that passes only if the line raises because it is not permitted."""
    return f"""
import os, socket, subprocess, shutil
try:
    {line}
except OSError:
    pass
else:
    raise AssertionError("was permitted")
"""


def test_a_program_whose_asserts_hold_passes():
    outcome = run_program("import math, re, collections\nassert math.floor(2.5) == 2\n")
    assert outcome == (True, "")


def test_a_program_whose_assert_fails_does_not_pass():
    assert run_program("assert 1 + 1 == 3") == (False, "AssertionError")


def test_a_program_that_does_not_parse_does_not_pass():
    assert run_program("def f(:") == (False, "SyntaxError")


def test_it_is_the_main_program_and_dataclasses_work_in_it():
    source = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    assert run_program(source + "assert A(1) == A(1)\nassert __name__ == '__main__'").is_passed


def test_an_infinite_loop_is_cut_off():
    start = time.monotonic()
    outcome = run_program("while True: pass", seconds=1.0)
    assert outcome == (False, "timed out")
    assert time.monotonic() - start < 5


def test_a_program_that_sleeps_is_cut_off():
    assert run_program("import time\ntime.sleep(60)", seconds=0.5) == (False, "timed out")


def test_memory_has_a_limit():
    assert run_program("a = bytearray(10**9)").reason == "MemoryError"
    assert run_program("a = bytearray(10**8)").is_passed
    growing = "a = []\nwhile True: a.append(bytearray(10**7))"
    assert not run_program(growing).is_passed


@pytest.mark.parametrize(
    "leave",
    [
        "import os\nos._exit(0)",
        "import sys\nsys.exit()",
        "exit_ = SystemExit(0)\nraise exit_",
        "import os\nos.abort()",
    ],
)
def test_a_program_that_leaves_before_its_asserts_does_not_pass(leave):
    assert not run_program(f"{leave}\nassert 1 == 2").is_passed


def test_what_the_program_prints_or_reads_is_no_proof():
    source = "import sys\nprint('0' * 32)\nassert sys.stdin.read() == ''\nimport __main__\n"
    assert run_program(source + "assert not hasattr(__main__, 'source_fd')").is_passed
    found = "import sys\nframe = sys._getframe()\nseen = ''\nwhile frame:\n    seen += repr(frame.f_locals)\n"
    found += "    frame = frame.f_back\nimport re\nassert re.search('[0-9a-f]{32}', seen)"
    assert run_program(found).reason == "AssertionError"


def test_a_file_cannot_be_written(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("kept")
    lines = [
        f"open({str(path)!r}, 'w')",
        f"open({str(tmp_path / 'new')!r}, 'x')",
        "open('here', 'a')",
        f"os.open({str(path)!r}, os.O_RDWR)",
        f"os.remove({str(path)!r})",
        f"os.rename({str(path)!r}, {str(path) + '2'!r})",
        f"os.mkdir({str(tmp_path / 'folder')!r})",
        f"shutil.rmtree({str(tmp_path)!r})",
    ]
    assert [outcome.reason for outcome in run_programs([refused(line) for line in lines])] == [""] * len(
        lines
    )
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_text() == "kept"


@pytest.mark.parametrize(
    "line",
    [
        "os.fork()",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 0)",
        "subprocess.run(['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket()",
    ],
)
def test_processes_and_network_are_refused(line):
    assert run_program(refused(line)) == (True, "")


def test_a_fork_bomb_starts_nothing():
    outcome = run_program("import os\nwhile True: os.fork()", seconds=2.0)
    assert outcome == (False, "PermissionError")


def test_neither_environment_nor_installed_packages_are_there(monkeypatch):
    monkeypatch.setenv("MY_SECRET", "s")
    assert run_program("import os\nassert 'MY_SECRET' not in os.environ\nassert os.listdir() == []").is_passed
    assert run_program("import numpy").reason == "ModuleNotFoundError"


def test_outcomes_come_in_the_order_of_the_programs():
    outcomes = run_programs([f"assert {number} % 2" for number in range(6)])
    assert [outcome.is_passed for outcome in outcomes] == [False, True] * 3


def test_no_pipe_stays_open():
    before = len([*Path("/proc/self/fd").iterdir()])
    run_programs(["pass", "while True: pass", "import os\nos._exit(0)"], seconds=1.0)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
