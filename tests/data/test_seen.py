"""What a cursor says was seen of a source is what walking over its samples finds."""

import numpy as np
import pytest

from raylm.data.mixture import Share, order_of
from raylm.data.packing import Packing
from raylm.data.seen import merged, seen
from tests.data.small_dataset import write_dataset

LENGTH = 16
LENGTHS = {"a": [5, 40, 1, 17, 3, 16, 2] * 4, "b": [9] * 30 + [33, 2], "c": [300]}
SHARES = {
    "no weights": [Share()] * 3,
    "weights": [Share(5), Share(3), Share(2)],
    "limits": [Share(5, 2), Share(3, 4), Share(2, 3)],
}


@pytest.fixture(params=["stream", "best_fit", "document"])
def split(request, tmp_path):
    packing = Packing(request.param, "truncate", attend_across_documents=request.param == "document")
    return write_dataset(tmp_path, LENGTHS, {}, packing).splits["train"]


def walked(split, plan, order, cursor, source):
    """Count and collect what the first samples hold of a source, one by one."""
    low, high = split.source_tokens[source : source + 2]
    inputs, tokens, sequences = 0, set(), 0
    for row in order.rows(0, cursor).tolist():
        spans = [span for span in plan.spans(row) if low <= span.start < high]
        inputs += sum(span.stop - span.start - 1 for span in spans)
        tokens |= {token - low for span in spans for token in range(span.start, span.stop)}
        sequences += bool(spans)
    return inputs, tokens, sequences


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("cursor", [0, 1, 20, 90])
def test_what_was_seen_is_what_the_samples_held(split, shares, cursor):
    plan = split.rows(LENGTH, lookahead=1)
    order = order_of(plan.source_rows, shares, seed=1)
    for source, name in enumerate(LENGTHS):
        found = seen(split, plan, order, source, cursor)
        inputs, tokens, sequences = walked(split, plan, order, cursor, source)
        assert (found.tokens, found.sequences) == (inputs, sequences)
        assert found.epochs == sequences / plan.source_rows[source]
        assert {token for start, stop in found.token_ranges for token in range(start, stop)} == tokens
        assert found.distinct_tokens == len(tokens)
        assert found.share == len(tokens) / sum(LENGTHS[name])
        borders = np.cumsum([0, *LENGTHS[name]])
        documents = {int(np.searchsorted(borders, token, side="right")) - 1 for token in tokens}
        ranges = found.document_ranges.tolist()
        assert {number for start, stop in ranges for number in range(start, stop)} == documents


def test_ranges_that_touch_become_one():
    assert merged(np.array([[5, 6], [0, 3], [2, 4], [4, 5], [8, 9], [0, 1]])).tolist() == [[0, 6], [8, 9]]
    assert merged(np.empty((0, 2), dtype=np.int64)).shape == (0, 2)
