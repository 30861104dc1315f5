"""What one training process says, line by line, in the run's `logs/`: where a failure is looked up first."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from raylm.runs.lines import LineLog
from raylm.runs.run import Run

FORMAT = "%(asctime)s %(levelname)s %(message)s"


class _LineHandler(logging.Handler):
    def __init__(self, lines: LineLog) -> None:
        super().__init__(logging.INFO)
        self._lines = lines
        self.setFormatter(logging.Formatter(FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record).encode() + b"\n")

    def close(self) -> None:
        self._lines.close()
        super().close()


@contextlib.contextmanager
def rank_log(run: Run, rank: int, attempt: int) -> Iterator[None]:
    """Within the block, write raylm's log lines and an error's traceback to `logs/rank-<r>-a<n>.log`."""
    handler = _LineHandler(LineLog(run.folder / "logs", f"rank-{rank}-a{attempt}.log"))
    logger = logging.getLogger("raylm")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except Exception:
        logger.exception("training was ended by an error")
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
