"""Objectives of tasks: what a row's target means, whatever the batch, the padding and the family."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from raylm.config import discover
from raylm.data.packing import Packing, pack
from raylm.data.record_rows import PackedRows, RecordRows
from raylm.data.rows import Row, RowReader
from raylm.models import Classes, ModelFamily
from raylm.objectives import IGNORE_INDEX, Frame, Objective
from tests.objectives.vocabulary import FIRST_TEXT, SIZE, VOCABULARY

discover("raylm.objectives")
discover("raylm.models")
KINDS = sorted(kind for kind, each in Objective.kinds.items() if each.learns_task)
LENGTH = 16
FRAME = Frame(LENGTH, 0, VOCABULARY)
SHAPE = {"num_layers": 1, "num_heads": 2, "hidden_size": 16}
CLASSES = ("a", "b", "c")
SIZES = np.array([5, 9, 12, 3, 24, 7])  # one row is longer than a sequence


# Where the tokens stand that a family has around a text.
AROUND = {
    "bert": [(0, "cls_token"), (-1, "sep_token")],
    "t5": [(-1, "eos_token")],
    "xlnet": [(-2, "sep_token"), (-1, "cls_token")],
}


def rng():
    return np.random.default_rng(3)


TARGETS = {
    "supervised": lambda size: (np.arange(size) > size // 2).astype(np.int32),
    "seq2seq": lambda size: rng().integers(FIRST_TEXT, SIZE, size // 2 + 1).astype(np.int32),
    "sequence_classification": lambda size: np.array([size % 3], np.int32),
    "multi_label_classification": lambda size: np.arange(size % 3, dtype=np.int32),
    "regression": lambda size: np.array([size / 10], np.float32),
    "token_classification": lambda size: np.where(np.arange(size) % 2, np.arange(size) % 3, -100).astype(
        np.int32
    ),
    "question_answering": lambda size: np.array([size // 3, size // 2], np.int32),
}


class Split:
    """Six rows of a task in two sources."""

    def __init__(self, kind: str, family: str = "bert", sizes: np.ndarray = SIZES) -> None:
        self.document_offsets = np.concatenate([[0], np.cumsum(sizes)])
        self.source_documents = np.array([0, 2, len(sizes)])
        self.source_tokens = self.document_offsets[self.source_documents]
        tokens = rng().integers(FIRST_TEXT, SIZE, sizes.sum()).astype(np.uint16)
        for place, token in AROUND.get(family, AROUND["bert"]):
            edges = self.document_offsets[:-1] if place >= 0 else self.document_offsets[1:]
            tokens[edges + place] = VOCABULARY.role(token)
        targets = [TARGETS[kind](size) for size in sizes.tolist()]
        self.target_offsets = np.concatenate([[0], np.cumsum([len(each) for each in targets])])
        self.columns = {"tokens": tokens, "target": np.concatenate(targets)}

    def rows(self, length: int, lookahead: int = 0):
        return pack(self, Packing("best_fit", "truncate", attend_across_documents=False), length, lookahead)

    def record_rows(self, length: int):
        return RecordRows(self, length)

    def packed_rows(self, length: int, lookahead: int = 0):
        return PackedRows(self.rows(length, lookahead))

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        return self.columns[column][start:stop]


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def objective_of(kind: str) -> Objective:
    return Objective.model_validate({"kind": kind})


def rows_of(kind: str, family: str = "bert") -> list[Row]:
    split = Split(kind, family)
    plan = objective_of(kind).row_plan(split, LENGTH)
    return RowReader(split, plan).rows(0, plan.num_rows)


def model_of(kind: str, name: str):
    objective = objective_of(kind)
    torch.manual_seed(0)
    classes = Classes(CLASSES if "classification" in kind else (), getattr(objective, "problem_type", None))
    family = ModelFamily.model_validate({"kind": name, **SHAPE})
    is_classifier = not objective.predicts_tokens
    return family.build(VOCABULARY, LENGTH, objective.head, classes if is_classifier else None).eval()


def families_of(kind: str) -> list[str]:
    head = objective_of(kind).head
    return sorted(
        name for name, each in ModelFamily.kinds.items() if head in each.heads and name != "pretrained"
    )


CASES = [(kind, name) for kind in KINDS for name in families_of(kind)]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_losses_of_single_rows_add_up_to_the_whole_batchs(kind, name):
    objective, model, rows = objective_of(kind), model_of(kind, name), rows_of(kind, name)
    whole = objective.make_batch(rows, FRAME)
    with torch.no_grad():
        together = objective.loss(model, whole)
        alone = [objective.loss(model, objective.make_batch([row], FRAME)) for row in rows]
    assert set(together) == set(objective.weights()) == set(objective.counts(whole))
    for loss, total in together.items():
        assert total.item() == pytest.approx(sum(each[loss].item() for each in alone), rel=1e-4, abs=1e-5), (
            loss
        )


def test_counts_of_single_rows_add_up(kind):
    objective, rows = objective_of(kind), rows_of(kind)
    whole = objective.counts(objective.make_batch(rows, FRAME))
    alone = [objective.counts(objective.make_batch([row], FRAME)) for row in rows]
    assert whole == {name: sum(each[name] for each in alone) for name in whole}
    inputs = [objective.num_inputs(objective.make_batch([row], FRAME)) for row in rows]
    assert objective.num_inputs(objective.make_batch(rows, FRAME)) == sum(inputs) > 0


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_head_learns(kind, name):
    objective, model = objective_of(kind), model_of(kind, name)
    batch = objective.make_batch(rows_of(kind, name), FRAME)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = objective.loss(model, batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_long_row_keeps_the_token_that_closes_it():
    batch = objective_of("sequence_classification").make_batch(rows_of("sequence_classification"), FRAME)
    long = batch["input_ids"][4]
    assert batch["attention_mask"][4].sum() == LENGTH
    assert long[0] == VOCABULARY.cls_token_id
    assert long[LENGTH - 1] == VOCABULARY.sep_token_id


def test_labels_of_tokens_stand_at_their_tokens():
    rows = rows_of("token_classification")
    batch = objective_of("token_classification").make_batch(rows, FRAME)
    for row, ids, labels in zip(rows, batch["input_ids"], batch["labels"], strict=True):
        tokens, target = row.arrays
        length = min(len(tokens), LENGTH)
        assert labels[: length - 1].tolist() == target[: length - 1].tolist()
        assert labels[length - 1] == target[-1]
        assert ids[: length - 1].tolist() == tokens[: length - 1].tolist()
        assert (labels[length:] == IGNORE_INDEX).all()


def test_only_answers_are_learned_and_records_do_not_see_each_other():
    rows = rows_of("supervised")
    batch = objective_of("supervised").make_batch(rows, FRAME)
    assert max(len(row.arrays) for row in rows) > 2, "no row holds two records"
    for i, row in enumerate(rows):
        first = 0
        for tokens, target in zip(row.arrays[::2], row.arrays[1::2], strict=True):
            last = first + len(tokens) - 1
            learned = [
                int(token) if mark else IGNORE_INDEX
                for token, mark in zip(tokens[1:], target[1:], strict=True)
            ]
            assert batch["labels"][i, first:last].tolist() == learned
            assert batch["position_ids"][i, first:last].tolist() == list(range(len(tokens) - 1))
            first = last
        assert (batch["labels"][i, first:] == IGNORE_INDEX).all()


def test_a_packed_record_has_the_logits_that_it_has_alone():
    objective, model, rows = (
        objective_of("supervised"),
        model_of("supervised", "llama"),
        rows_of("supervised"),
    )
    row = next(row for row in rows if len(row.arrays) > 2)
    with torch.no_grad():
        together = objective.loss(model, objective.make_batch([row], FRAME))["loss"]
        pieces = [Row(0, 0, row.arrays[at : at + 2]) for at in range(0, len(row.arrays), 2)]
        apart = sum(objective.loss(model, objective.make_batch([each], FRAME))["loss"] for each in pieces)
    assert together.item() == pytest.approx(apart.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_the_losses_are_those_that_transformers_computes(name):
    kind = "sequence_classification"
    objective, model, rows = objective_of(kind), model_of(kind, name), rows_of(kind, name)
    batch = objective.make_batch(rows, FRAME)
    with torch.no_grad():
        theirs = model(**objective.inputs(model, batch), labels=batch["labels"]).loss
        mine = objective.loss(model, batch)["loss"] / objective.counts(batch)["loss"]
    assert mine.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_any_number_of_labels_is_a_verdict_on_each():
    kind = "multi_label_classification"
    objective, model, rows = objective_of(kind), model_of(kind, "bert"), rows_of(kind)
    batch = objective.make_batch(rows, FRAME)
    marks = torch.zeros(len(rows), len(CLASSES))
    for i, row in enumerate(rows):
        marks[i, row.arrays[-1].astype(int)] = 1
    with torch.no_grad():
        theirs = F.binary_cross_entropy_with_logits(model(**objective.inputs(model, batch)).logits, marks)
        found = objective.loss(model, batch)
    assert found["loss"].item() / len(rows) == pytest.approx(theirs.item(), rel=1e-5)


def test_the_second_text_of_a_pair_has_token_type_one():
    cls, sep, text = VOCABULARY.cls_token_id, VOCABULARY.sep_token_id, FIRST_TEXT
    from raylm.kernels.task_rows import token_types

    assert token_types(np.array([cls, text, sep, text, text, sep]), VOCABULARY).tolist() == [0, 0, 0, 1, 1, 1]
    assert token_types(np.array([cls, text, sep]), VOCABULARY).tolist() == [0, 0, 0]
    assert token_types(np.array([text, sep, text, sep, cls]), VOCABULARY).tolist() == [0, 0, 1, 1, 2]


def test_a_class_token_at_the_end_stands_in_the_last_place():
    cls, sep, text = VOCABULARY.cls_token_id, VOCABULARY.sep_token_id, FIRST_TEXT
    rows = [
        Row(i, i, (np.array([text] * size + [sep, cls], np.uint16), np.array([1], np.int32)))
        for i, size in enumerate((2, 5))
    ]
    batch = objective_of("sequence_classification").make_batch(rows, FRAME)
    assert (batch["input_ids"][:, -1] == cls).all()
    assert batch["attention_mask"].tolist()[0] == [0, 0, 0, 1, 1, 1, 1]
