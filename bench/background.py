"""Start a long benchmark that outlives the shell, once: called again it says how far the first one is.

python -m bench.background families -- --json bench/results/families.json
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench.harness import ROOT, SCRATCH

TAIL = 12  # lines of the log that are shown


def main() -> None:
    """Start the benchmark, or show the one that runs, or the end of the last one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a module of bench")
    parser.add_argument("arguments", nargs="*", help="after --: the benchmark's own")
    given = parser.parse_args()
    log, pid_file = SCRATCH / f"{given.name}.log", SCRATCH / f"{given.name}.pid"
    if running := _running(pid_file, given.name):
        print(f"bench.{given.name} runs as process {running}; so far ({log}):")
        print(_tail(log))
        return
    SCRATCH.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", f"bench.{given.name}", *given.arguments]
    with log.open("ab") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
    pid_file.write_text(str(process.pid))
    print(f"bench.{given.name} runs as process {process.pid}; its log is {log}; call this again to see more")


def _running(pid_file: Path, name: str) -> int | None:
    """Return the process that runs the benchmark; a number that another program has by now does not count."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if f"bench.{name}".encode() in command.split(b"\0") else None


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").replace("\r", "\n").splitlines()[-TAIL:])


if __name__ == "__main__":
    main()
