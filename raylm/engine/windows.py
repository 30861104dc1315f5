"""Long texts cut into what a model can read at once."""

from __future__ import annotations

import numpy as np

from raylm.objectives import Request


def windows(request: Request, room: int, stride: int) -> list[Request]:
    """Return requests of at most `room` ids that ask for each id of the text once.

    The first window holds as much as fits; each further one asks for the next `stride` ids, or what is left,
    and holds as many of the ids before them as there is room for, as transformers' documentation has it
    ("perplexity of fixed-length models"); `stride` = `room` gives windows that do not overlap.

    Args:
        request: a text of any length, and what comes before it.
        room: ids that one window may hold, context included.
        stride: at most `room`.
    """
    assert 0 < stride <= room, "a window cannot hold what it is to ask for"
    whole = np.concatenate([request.context, request.text]).astype(np.int64)
    first, end = len(request.context), len(whole)
    stop = min(end, room if first < room else first + stride)
    made = []
    while True:
        made.append(Request(whole[max(0, stop - room) : first], whole[first:stop]))
        if stop >= end:
            return made
        first, stop = stop, min(end, stop + stride)
