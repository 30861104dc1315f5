import os
import stat
import subprocess
import sys
import time

import psutil
import pytest

from raylm.jobs.detached import Detached, end_tree, is_alive, spawn_detached, tail
from raylm.jobs.local import spawn
from raylm.runs.run import Run

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path):
    started = []

    def start(code):
        started.append(spawn_detached([sys.executable, "-u", "-c", code], os.environ, tmp_path / "log"))
        return started[-1]

    yield start
    for process in started:
        end_tree(process, 0)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail("it did not happen in time")


def test_a_detached_process_is_no_child_of_its_starter_and_has_its_own_session(start):
    process = start("import time; time.sleep(60)")
    assert is_alive(process)
    assert psutil.Process(process.pid).ppid() != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)


def test_it_outlives_its_starter(tmp_path):
    code = (
        "import os, pathlib; from raylm.jobs.detached import spawn_detached\n"
        f"print(*spawn_detached(['sleep', '60'], os.environ, pathlib.Path({str(tmp_path / 'log')!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    pid, start_time = done.stdout.split()
    process = Detached(int(pid), float(start_time))
    assert is_alive(process)
    end_tree(process)
    assert not is_alive(process)


def test_ending_a_process_ends_all_it_started_and_nothing_else(start, tmp_path):
    bystander, process = start("import time; time.sleep(60)"), start(PARENT)
    child = int(wait_for(lambda: tail(tmp_path / "log")))
    end_tree(process, 1)
    assert not is_alive(process)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert is_alive(bystander)


def test_a_later_process_with_the_same_id_is_left_alone(start):
    process = start("import time; time.sleep(60)")
    earlier = Detached(process.pid, process.start_time - 100)
    assert not is_alive(earlier)
    end_tree(earlier)
    assert is_alive(process)


def test_its_output_is_kept_private(start, tmp_path):
    start("print('one'); print('two')")
    wait_for(lambda: tail(tmp_path / "log", 1) == "two")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_a_run_without_ray_is_driven_in_the_background_and_logged(storage):
    run = Run.create(storage, "first")
    process = spawn(run, 7)
    wait_for(lambda: not is_alive(process), 60)
    assert "launch 7" in tail(run.folder.local_path("logs/driver-l7.log"), 50)
