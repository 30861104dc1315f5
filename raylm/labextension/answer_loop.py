"""`python -m raylm.labextension.answer_loop`: the Jupyter server's questions, one JSON line each way.

What launches a run or reads a recipe may import torch and a person's plug-ins; here it costs the server no
memory and cannot bring it down. It ends when its standard input does or after some idle minutes.
"""

import argparse
import json
import os
import select
import sys

from raylm.api.store import Store
from raylm.api.wire import encode

IDLE_SECONDS = 300.0


def main() -> None:
    """Answer until nobody asks any more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    given = parser.parse_args()
    questions, answers = _own_pipes()
    stores: dict[str | None, Store] = {}
    with os.fdopen(questions, "rb") as asked, os.fdopen(answers, "wb") as replies:
        # One question at a time is on the way, so nothing waits in the buffer while select looks at the pipe.
        while select.select([asked], [], [], IDLE_SECONDS)[0] and (line := asked.readline()):
            question = json.loads(line)
            storage = question["storage"]
            if storage not in stores:
                stores[storage] = Store(storage, given.folder)
            replies.write(encode(stores[storage].answer(question["method"], question["args"])) + b"\n")
            replies.flush()


def _own_pipes() -> tuple[int, int]:
    """Keep the pipes from everything else: what libraries print goes to the log, a run inherits neither."""
    pipes = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return pipes


if __name__ == "__main__":
    sys.exit(main())
