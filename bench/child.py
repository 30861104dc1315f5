"""The process of one variant (see bench.harness): trains, and stands still between rounds."""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import IO


class Tick:
    """Counts a variant's steps; at the end of a round it reports and waits for the next one."""

    def __init__(self, steps: int, replies: IO[str]) -> None:
        self._steps = steps
        self._replies = replies
        self._left = 1  # the first step is the sign of being ready
        self._work = 0.0
        self._cpu = self._wall = 0.0

    def __call__(self, work: float) -> None:
        """Count one step that did `work` (tokens, operations)."""
        self._work += work
        self._left -= 1
        if self._left == 0:
            self._report()
            self._wait()

    def _report(self) -> None:
        reply = {
            "cpu_seconds": time.process_time() - self._cpu,
            "wall_seconds": time.monotonic() - self._wall,
            "work": self._work,
            "peak_bytes": peak_bytes(),
        }
        print(json.dumps(reply), file=self._replies, flush=True)

    def _wait(self) -> None:
        if not sys.stdin.readline():
            os._exit(0)  # the bench is over; a variant has nothing to save
        self._left, self._work = self._steps, 0.0
        self._cpu, self._wall = time.process_time(), time.monotonic()


def peak_bytes() -> int:
    """Return the largest resident set of this process; unlike ru_maxrss it starts anew at exec."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Run the variant named on the command line until the parent closes our standard input."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the replies
    spec = json.loads(sys.argv[1])
    variant = importlib.import_module(f"bench.variants.{spec['module']}")
    variant.run(spec["options"], Tick(spec["steps"], replies))


if __name__ == "__main__":
    main()
