"""Causal language modelling over packed documents: who may look at whom, and who is predicted."""

import numpy as np
import pytest
import torch

from raylm.data.packing import Packing, pack
from raylm.data.rows import RowReader
from raylm.models import ModelFamily, Vocabulary
from raylm.models.gpt2 import GPT2
from raylm.models.llama import Llama
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.causal import Causal

LENGTH, VOCAB_SIZE = 16, 50
FRAME = Frame(LENGTH, 0, Vocabulary(VOCAB_SIZE))
LENGTHS = [6, 8, 5, 20, 2, 3]
MODELS = (
    GPT2(num_layers=2, num_heads=2, hidden_size=16),
    Llama(num_layers=2, num_heads=2, hidden_size=16),
)


class Split:
    """Six documents of random tokens."""

    document_offsets = np.cumsum([0, *LENGTHS])
    source_documents = np.array([0, len(LENGTHS)])
    source_tokens = np.array([0, sum(LENGTHS)])

    def __init__(self, policy, *, across: bool) -> None:
        self.packing = Packing(policy, "split", across)
        self.tokens = np.random.default_rng(0).integers(1, VOCAB_SIZE, sum(LENGTHS))

    def rows(self, length: int, lookahead: int = 0):
        return pack(self, self.packing, length, lookahead)

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        return getattr(self, column)[start:stop]


def batch_of(split: Split):
    plan = Causal().row_plan(split, LENGTH)
    return Causal().make_batch(RowReader(split, plan).rows(0, plan.num_rows), FRAME)


def logits_of(family: ModelFamily, attention: str, batch) -> torch.Tensor:
    torch.manual_seed(0)
    model = family.build(Vocabulary(VOCAB_SIZE), LENGTH).eval()
    model.set_attn_implementation(attention)
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    with torch.no_grad():
        return model(**inputs, use_cache=False).logits  # a cache would make transformers overlook the borders


@pytest.mark.parametrize("family", MODELS, ids=lambda family: family.kind)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("across", [True, False])
def test_a_document_sees_the_one_before_it_only_where_that_is_asked_for(family, attention, across):
    split = Split("stream", across=across)
    before = batch_of(split)
    split.tokens[:5] = (split.tokens[:5] + 7) % VOCAB_SIZE  # of the first document, all but its last
    after = batch_of(split)
    second = before["labels"][0].tolist().index(int(split.tokens[7])) if across else 5
    here = slice(second, second + 7)
    assert torch.equal(before["input_ids"][0, here], after["input_ids"][0, here])
    assert not torch.equal(before["input_ids"][0, :5], after["input_ids"][0, :5])
    one, other = (logits_of(family, attention, batch) for batch in (before, after))
    assert torch.equal(one[0, here], other[0, here]) != across
    assert torch.equal(one[1:], other[1:])


@pytest.mark.parametrize("family", MODELS, ids=lambda family: family.kind)
def test_a_document_in_a_packed_row_is_read_as_if_it_stood_alone(family):
    split = Split("best_fit", across=False)
    packed = batch_of(split)
    logits = logits_of(family, "sdpa", packed)
    found = 0
    for row, piece in np.argwhere(packed["position_ids"].numpy() == 0).tolist():
        labels = packed["labels"][row, piece:]
        ends = torch.nonzero(packed["position_ids"][row, piece:] != torch.arange(len(labels)))
        stop = piece + (int(ends[0]) if len(ends) else len(labels))
        alone = {"input_ids": packed["input_ids"][row : row + 1, piece:stop]}
        expected = logits_of(family, "sdpa", alone)[0]
        torch.testing.assert_close(logits[row, piece:stop], expected, rtol=1e-4, atol=1e-5)
        found += 1
    assert found == 7  # six documents, one of them in two pieces


@pytest.mark.parametrize("policy", ["stream", "best_fit", "document"])
def test_no_target_crosses_a_documents_border_without_attention_across_them(policy):
    split = Split(policy, across=False)
    split.tokens = np.arange(1, sum(LENGTHS) + 1)
    batch = batch_of(split)
    targets = batch["labels"] != IGNORE_INDEX
    assert int(targets.sum()) == sum(LENGTHS) - len(LENGTHS)
    assert torch.equal(batch["labels"][targets], batch["input_ids"][targets] + 1)
    assert not set(batch["labels"][targets].tolist()) & {start + 1 for start in Split.document_offsets}


@pytest.mark.parametrize("policy", ["best_fit", "document"])
def test_losses_do_not_depend_on_the_rows_packed_beside(policy):
    split = Split(policy, across=False)
    torch.manual_seed(0)
    model = MODELS[0].build(Vocabulary(VOCAB_SIZE), LENGTH).eval()
    plan = Causal().row_plan(split, LENGTH)
    reader = RowReader(split, plan)
    whole = Causal().make_batch(reader.rows(0, plan.num_rows), FRAME)
    parts = [Causal().make_batch(reader.rows(row, 1), FRAME) for row in range(plan.num_rows)]
    summed = sum(Causal().loss(model, part)["loss"] for part in parts)
    torch.testing.assert_close(Causal().loss(model, whole)["loss"], summed, rtol=1e-5, atol=1e-5)


def test_one_stream_of_text_needs_no_positions():
    assert set(batch_of(Split("stream", across=True))) == {"input_ids", "labels"}
