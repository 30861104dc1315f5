"""A training process that is killed for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from raylm.runs.read import read
from raylm.runs.run import Run


class Killed:
    """A training process that is killed once it has passed a step."""

    def __init__(self, storage: str, run_id: str) -> None:
        self.storage = storage
        self.run_id = run_id

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "raylm", *arguments, "--storage", self.storage],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def kill_after(self, process: "subprocess.Popen[bytes]", step: int) -> int:
        """Kill -9 once the step is on record; return the last step that is."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            if Path(self.storage, self.run_id).exists():
                records, _ = read(Run.open(self.storage, self.run_id), "metrics", limit=10_000)
                if records and records[-1]["step"] >= step:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    return records[-1]["step"]
            time.sleep(0.005)
        raise AssertionError(f"the process ended before it could be killed: {process.stderr.read().decode()}")
