"""Every objective keeps the contract: losses are sums that no batching, padding or order can change."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from raylm.config import discover
from raylm.data.packing import Packing, pack
from raylm.data.rows import RowReader
from raylm.data.sampler import Sampler
from raylm.data.sentence_rows import sentence_rows
from raylm.models import ModelFamily
from raylm.objectives import IGNORE_INDEX, Frame, Objective
from tests.objectives.vocabulary import FIRST_TEXT, SIZE, VOCABULARY

discover("raylm.objectives")
KINDS = sorted(
    kind for kind, each in Objective.kinds.items() if not each.learns_task
)  # those of tasks: test_task_objectives
discover("raylm.models")
LENGTH, SEED = 16, 7
FRAME = Frame(LENGTH, SEED, VOCABULARY)
FAMILIES = {name: family for name, family in ModelFamily.kinds.items() if name != "pretrained"}
SHAPE = {"num_layers": 1, "num_heads": 2, "hidden_size": 16}


class Split:
    """A split of 1000 random tokens in six documents of two sources; its last window is short."""

    num_tokens = 1000
    tokens = np.random.default_rng(0).integers(FIRST_TEXT, SIZE, num_tokens).astype(np.uint16)
    document_offsets = np.array([0, 5, 17, 19, 300, 307, 1000])
    sentence_offsets = np.unique([*range(0, 1000, 4), *document_offsets])
    source_documents = np.array([0, 6])
    source_tokens = np.array([0, 1000])

    def __init__(self, packing: Packing = Packing()) -> None:  # noqa: B008 - a plain value
        self.packing = packing

    def rows(self, length: int, lookahead: int = 0):
        return pack(self, self.packing, length, lookahead)

    def sentence_rows(self, length: int):
        return sentence_rows(self, length)

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        found = self.sentence_offsets if column == "sentences" else getattr(self, column)
        return found[start:stop]


@pytest.fixture(params=KINDS)
def objective(request) -> Objective:
    return Objective.model_validate({"kind": request.param})


@pytest.fixture
def model(objective):
    """Return a model that the objective fits."""
    family = next(family for family in FAMILIES.values() if objective.head in family.heads)
    torch.manual_seed(0)
    return family(**SHAPE).build(VOCABULARY, 2 * LENGTH, objective.head).eval()


def test_every_objective_fits_a_family(objective):
    assert [name for name, family in FAMILIES.items() if objective.head in family.heads]


def num_rows(objective: Objective) -> int:
    return objective.row_plan(Split(), LENGTH).num_rows


def rows(objective: Objective, first: int, count: int, *, is_shuffled: bool = False):
    plan = objective.row_plan(Split(), LENGTH)
    sampler = Sampler(plan.num_rows, SEED) if is_shuffled else None
    return RowReader(Split(), plan, sampler).rows(first, count)


def batch_of(objective: Objective, first: int, count: int):
    return objective.make_batch(rows(objective, first, count), FRAME)


def last_rows(objective: Objective, count: int):
    return rows(objective, num_rows(objective) - count, count)


def assert_same_batch(one, other) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_the_same_rows_give_the_same_batch_whatever_else_was_drawn(objective):
    torch.manual_seed(1)
    one = batch_of(objective, 3, 8)
    torch.manual_seed(2)
    np.random.default_rng().random(5)
    assert_same_batch(one, batch_of(objective, 3, 8))


def test_making_a_batch_draws_from_no_shared_generator(objective):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    batch_of(objective, 0, 8)
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(numpy_before, np.random.get_state()[1])


def test_a_row_does_not_depend_on_the_rows_beside_it(objective):
    whole = batch_of(objective, 0, 4)
    singles = [batch_of(objective, first, 1) for first in range(4)]
    assert_same_batch(whole, {name: torch.cat([one[name] for one in singles]) for name in whole})


def test_the_order_of_the_rows_is_the_samplers(objective):
    found = rows(objective, 0, 6, is_shuffled=True)
    numbers = Sampler(num_rows(objective), SEED).rows(0, 6)
    for row, number in zip(found, numbers, strict=True):
        (expected,) = rows(objective, int(number), 1)
        assert all(map(np.array_equal, row.arrays, expected.arrays))


def test_every_named_loss_has_a_weight_and_a_count(objective, model):
    batch = batch_of(objective, 0, 4)
    names = set(objective.weights())
    assert set(objective.counts(batch)) == names
    assert set(objective.loss(model, batch)) == names


def test_counts_are_the_labels_that_are_not_left_out(objective):
    batch = objective.make_batch(last_rows(objective, 4), FRAME)
    counted = sum(objective.counts(batch).values())
    labels = [tensor for name, tensor in batch.items() if name.endswith("labels")]
    assert counted == sum(int((tensor != IGNORE_INDEX).sum()) for tensor in labels)
    room = sum(tensor.numel() for name, tensor in batch.items() if name.endswith("input_ids"))
    assert 0 < objective.num_inputs(batch) <= room


def test_losses_of_micro_batches_add_up_to_the_whole_batchs(objective, model):
    whole = batch_of(objective, 0, 12)
    parts = [batch_of(objective, first, 3) for first in range(0, 12, 3)]
    for name, total in objective.loss(model, whole).items():
        summed = sum(objective.loss(model, part)[name] for part in parts)
        torch.testing.assert_close(summed, total, rtol=1e-5, atol=1e-5)
        assert sum(objective.counts(part)[name] for part in parts) == objective.counts(whole)[name]


def test_padding_adds_nothing(objective, model):
    short = last_rows(objective, 1)
    one, padded = (
        objective.make_batch(short, FRAME._replace(sequence_length=length)) for length in (LENGTH, 2 * LENGTH)
    )
    assert objective.counts(one) == objective.counts(padded)
    assert objective.num_inputs(one) == objective.num_inputs(padded)
    for name, total in objective.loss(model, one).items():
        torch.testing.assert_close(objective.loss(model, padded)[name], total)


def test_the_mean_loss_is_torchs_cross_entropy(objective, model):
    batch = objective.make_batch(last_rows(objective, 6), FRAME)
    output = model(**objective.inputs(model, batch))
    logits = output.logits if "logits" in output else output.prediction_logits
    expected = F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORE_INDEX)
    name = "masked" if "masked" in objective.weights() else "loss"
    total = objective.loss(model, batch)[name]
    assert total.dtype == torch.float32
    torch.testing.assert_close(total / objective.counts(batch)[name], expected, rtol=1e-5, atol=1e-5)


def test_rows_cover_the_split_and_stay_inside_it(objective):
    plan = objective.row_plan(Split(), LENGTH)
    spans = [span for row in range(plan.num_rows) for span in plan.spans(row)]
    assert all(0 <= span.start < span.stop <= Split.num_tokens for span in spans)
    seen = set().union(*(range(span.start, span.stop) for span in spans if span.column == "tokens"))
    # A pair needs two sentences: documents of one are left out.
    single = 2 if objective.head == "pretraining" else 0
    assert len(seen) == Split.num_tokens - single


def test_causal_predicts_every_token_but_the_first_once():
    causal = Objective.model_validate({"kind": "causal"})
    whole = batch_of(causal, 0, num_rows(causal))
    targets = whole["labels"][whole["labels"] != IGNORE_INDEX]
    assert np.array_equal(targets.numpy(), Split.tokens[1:])
    assert torch.equal(whole["labels"][:-1, :-1], whole["input_ids"][:-1, 1:])


def test_a_split_without_text_has_no_rows(objective):
    class Nothing(Split):
        document_offsets = source_tokens = sentence_offsets = np.array([0])
        source_documents = np.array([0, 0])

    assert objective.row_plan(Nothing(), LENGTH).num_rows == 0


def test_a_split_too_small_to_predict_a_next_token_has_no_rows():
    class One(Split):
        document_offsets = source_tokens = sentence_offsets = np.array([0, 1])
        source_documents = np.array([0, 1])

    for kind in ("causal", "prefix", "next_sentence"):
        assert Objective.model_validate({"kind": kind}).row_plan(One(), LENGTH).num_rows == 0


DROPPED = '''
"""Causal language modelling under another name."""
from typing import Literal
from raylm.objectives.causal import Causal

class Dropped(Causal):
    """A kind that nothing else in the tree knows."""

    kind: Literal["dropped"] = "dropped"
'''


def test_one_new_file_is_tested_here_with_no_other_edit(tmp_path):
    """Another pytest process finds the file among the objectives, as if it lay in their folder."""
    (tmp_path / "objectives").mkdir()
    (tmp_path / "objectives" / "dropped.py").write_text(DROPPED)
    folder = str(tmp_path / "objectives")
    (tmp_path / "drop_in.py").write_text(
        f"import raylm.objectives\nraylm.objectives.__path__.append({folder!r})"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "drop_in",
            "-p",
            "no:cacheprovider",
            "-k",
            "[dropped]",
            __file__,
        ],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 10
