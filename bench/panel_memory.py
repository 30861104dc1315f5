"""Whether a kernel that shows a panel grows: an hour's worth of polls, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.harness import ROOT
from raylm.runs import Run

POLLS = 7200  # an hour at the default pace


def measure(run: Run, append: Callable[[int], None], polls: int = POLLS) -> dict[str, float]:
    """Return the kernel's memory after half of the polls, and how much it grew in the other half."""
    command = [sys.executable, "-m", "bench.panel_memory", run.storage, run.run_id]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as kernel:
        assert kernel.stdin is not None
        assert kernel.stdout is not None
        seen = []
        for number in range(polls):
            append(number)
            kernel.stdin.write("poll\n")
            seen.append(json.loads(kernel.stdout.readline()))
        kernel.stdin.close()
    assert seen[-1]["step"] > seen[0]["step"], "the panel saw the run grow"
    half, end = seen[polls // 2 - 1]["rss"], seen[-1]["rss"]
    return {
        "memory/polls": polls,
        "memory/half_mib": half / 2**20,
        "memory/end_mib": end / 2**20,
        "memory/growth_mib": (end - half) / 2**20,
    }


def main() -> None:
    """Be a kernel: for each line on standard input answer a panel's poll, and say how much memory is used."""
    from raylm.api.store import Store
    from raylm.widgets.panels.monitor import Monitor

    storage, run_id = sys.argv[1:]
    panel = Monitor(Store(storage))
    sent: list[dict] = []
    panel.send = lambda content, buffers=None: sent.append(content)  # noqa: ARG005 - there is no browser
    cursors: dict[str, str | None] = {}
    number = step = 0
    for _ in sys.stdin:
        asked = [
            ("history", {}, "history"),
            ("run", {}, ""),
            ("read", {"stream": "events"}, "events"),
            ("read", {"stream": "logs/rank-0-a1.log"}, "log"),
        ]
        for method, more, cursor in asked:
            number += 1
            args = {"run_id": run_id, **more} | ({"cursor": cursors.get(cursor)} if cursor else {})
            panel._reply(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                {"id": str(number), "method": method, "args": args}
            )
            answer = json.loads(json.dumps(sent.pop()))["result"]
            cursors[cursor] = answer.get("cursor")
            if method == "history":
                step = answer["step"]
        print(json.dumps({"rss": rss(), "step": step}), flush=True)


def rss() -> int:
    """Return the resident set of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
