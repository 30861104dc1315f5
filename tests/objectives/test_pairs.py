"""Pairs of texts: what follows what, how often, and two losses at once."""

import gzip
import json
from itertools import chain, combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from raylm.data.prepare import prepare
from raylm.data.rows import Row, RowReader
from raylm.data.sampler import Sampler
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.sources.jsonl import Jsonl
from raylm.data.tokenizers.wordpiece import WordPiece
from raylm.engine.parallel import LossModule
from raylm.engine.step import Stepper
from raylm.engine.world import World
from raylm.kernels.pairs import run_of, stand_in
from raylm.models.bert import Bert
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.next_sentence import NextSentence
from raylm.objectives.sentence_order import SentenceOrder
from tests.objectives.vocabulary import EOS, VOCABULARY

EXAMPLES = Path(__file__).parents[2] / "examples/data"
LENGTH, SEED = 96, 7
KINDS = [NextSentence, SentenceOrder]
SHAPE = {"num_layers": 2, "num_heads": 2, "hidden_size": 32}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Return a dataset of forty scenes, four thousand characters each."""
    folder = tmp_path_factory.mktemp("pairs")
    text = gzip.decompress((EXAMPLES / "tinyshakespeare/input.txt.gz").read_bytes()).decode()
    documents = [json.dumps({"text": text[start : start + 4000]}) for start in range(0, 160_000, 4000)]
    (folder / "scenes.jsonl").write_text("\n".join(documents))
    data = DataSection(sources=(Jsonl(path=str(folder / "scenes.jsonl")),), validation_share=0)
    return Dataset.open(prepare(data, WordPiece(vocab_size=600), str(folder / "storage")).uri)


@pytest.fixture(scope="module")
def split(dataset):
    return dataset.splits["train"]


@pytest.fixture(scope="module")
def frame(dataset):
    return Frame(LENGTH, SEED, dataset.vocabulary)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def objective(request):
    return request.param()


def read(objective, split, count=None, first=0, *, is_shuffled=False):
    plan = objective.row_plan(split, LENGTH)
    sampler = Sampler(plan.num_rows, SEED) if is_shuffled else None
    return RowReader(split, plan, sampler).rows(first, count or plan.num_rows)


def texts_of(batch, number, frame):
    """Return the two texts of a row as they were before tokens were hidden, and its label."""
    labels, inputs = batch["labels"][number], batch["input_ids"][number]
    tokens = torch.where(labels == IGNORE_INDEX, inputs, labels)[batch["attention_mask"][number] > 0].tolist()
    sep = frame.vocabulary.sep_token_id
    assert (tokens[0], tokens[-1]) == (frame.vocabulary.cls_token_id, sep)
    assert tokens.count(sep) == 2
    middle = tokens.index(sep)
    types = batch["token_type_ids"][number].tolist()
    assert types == [0] * (middle + 1) + [1] * (len(tokens) - middle - 1) + [0] * (LENGTH - len(tokens))
    return tokens[1:middle], tokens[middle + 1 : -1], int(batch["pair_labels"][number])


def runs_of(row, split, frame):
    """Return the sentences of a row's run and of its partner's, without the token that ends a document."""
    runs = []
    spans = split.sentence_rows(LENGTH - 3).spans(row.number)
    for span, tokens, offsets in zip(spans[::2], row.arrays[::2], row.arrays[1::2], strict=True):
        ends = (offsets - span.start).clip(0, len(tokens)).tolist()
        runs.append([tokens.tolist()[start:stop] for start, stop in pairwise(ends)])
        if runs[-1][-1][-1] == frame.vocabulary.eos_token_id:
            runs[-1][-1].pop()
    return runs


def ways_to_cut(sentences):
    """Return the first and the second text for each number of sentences in the first."""
    return [(joined(sentences[:k]), joined(sentences[k:])) for k in range(1, len(sentences))]


def joined(sentences):
    return [*chain.from_iterable(sentences)]


def document_of(split, offset):
    return int(np.searchsorted(split.document_offsets, offset, side="right"))


def test_texts_that_belong_together_are_two_halves_of_a_row_cut_between_sentences(objective, split, frame):
    rows = read(objective, split)
    batch = objective.make_batch(rows, frame)
    found = 0
    for number, row in enumerate(rows):
        first, second, label = texts_of(batch, number, frame)
        if label == 0:
            assert (first, second) in ways_to_cut(runs_of(row, split, frame)[0])
            found += 1
    assert found > 100


def test_a_random_text_is_whole_sentences_of_another_document(split, frame):
    rows = read(NextSentence(), split)
    batch = NextSentence().make_batch(rows, frame)
    found = cut_off = 0
    for number, row in enumerate(rows):
        first, second, label = texts_of(batch, number, frame)
        if label == 1:
            run, other = runs_of(row, split, frame)
            [rest] = [b for a, b in ways_to_cut(run) if a == first]
            assert len(second) <= len(rest)
            runs = [joined(other[start:stop]) for start, stop in combinations(range(len(other) + 1), 2)]
            is_whole = second in runs
            cut_off += not is_whole
            assert is_whole or any(each[: len(second)] == second for each in other)
            assert document_of(split, row.arrays[1][0]) != document_of(split, row.arrays[3][0])
            found += 1
    assert found > 100
    assert cut_off < 0.3 * found  # where the text that it stands in for is shorter than any sentence


def test_swapped_texts_are_the_halves_of_a_row_in_the_other_order(split, frame):
    rows = read(SentenceOrder(), split)
    batch = SentenceOrder().make_batch(rows, frame)
    numbers = torch.nonzero(batch["pair_labels"]).flatten().tolist()
    assert len(numbers) > 100
    for number in numbers:
        first, second, _ = texts_of(batch, number, frame)
        assert (second, first) in ways_to_cut(runs_of(rows[number], split, frame)[0])


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("masking", ["dynamic", "static"])
@pytest.mark.parametrize("kind", KINDS)
def test_as_many_pairs_do_not_belong_together_as_the_recipe_says(kind, masking, share, frame):
    objective = kind(negative_share=share, masking=masking)
    arrays = (np.arange(12, 32), np.arange(0, 21, 4), np.arange(32, 52), np.arange(40, 61, 4))
    rows = [Row(number, number, arrays) for number in range(4000)]
    labels = objective.make_batch(rows, frame._replace(vocabulary=VOCABULARY))["pair_labels"].numpy()
    deviation = (share * (1 - share) / len(rows)) ** 0.5
    assert labels.mean() == pytest.approx(share, abs=4 * deviation)


def test_length_tells_little_of_whether_texts_belong_together(split, frame):
    rows = [
        row for first in (0, 1000, 2000) for row in read(NextSentence(), split, 1000, first, is_shuffled=True)
    ]
    batch = NextSentence().make_batch(rows, frame)
    lengths, labels = batch["attention_mask"].sum(1), batch["pair_labels"]
    best = max(float(((lengths < limit) == (labels == 1)).float().mean()) for limit in range(LENGTH))
    assert best < 0.75


def test_static_pairs_are_the_same_in_every_epoch_and_others_are_not(objective, split, frame):
    num_rows = objective.row_plan(split, LENGTH).num_rows
    arrays = read(objective, split, 40)
    later = [Row(row.index + num_rows, row.number, row.arrays) for row in arrays]
    for masking, is_same in (("static", True), ("dynamic", False)):
        chosen = type(objective)(masking=masking)
        one, other = (chosen.make_batch(rows, frame) for rows in (arrays, later))
        assert all(torch.equal(one[name], other[name]) for name in one) == is_same
        assert torch.equal(one["pair_labels"], other["pair_labels"]) == is_same


def test_the_same_rows_give_the_same_batch_whatever_stands_beside_them(objective, split, frame):
    rows = read(objective, split, 12, is_shuffled=True)
    whole, again = (objective.make_batch(rows, frame) for _ in range(2))
    singles = [objective.make_batch([row], frame) for row in rows]
    for name in whole:
        assert torch.equal(whole[name], again[name])
        assert torch.equal(whole[name], torch.cat([one[name] for one in singles]))
    other = objective.make_batch(rows, frame._replace(seed=SEED + 1))
    assert not torch.equal(whole["input_ids"], other["input_ids"])


def gradients(objective, batches, dataset):
    """Return the losses and the gradient that the engine makes of micro-batches."""
    torch.manual_seed(0)
    model = Bert(**SHAPE, dropout=0.0).build(dataset.vocabulary, LENGTH, objective.head)
    module = LossModule(model, objective)
    world = World(0, 1, torch.device("cpu"))
    stepper = Stepper(module, torch.optim.SGD(model.parameters()), objective, world, 1.0, SEED)
    counts = stepper.weigh(batches, []).counts
    sums = stepper._backward(batches, counts)
    assert all(parameter.grad is not None for parameter in model.parameters())
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    return counts, {name: sums[name] / counts[name] for name in sums}, gradient


def test_micro_batches_with_unequal_counts_give_the_gradient_of_the_whole(objective, dataset, split, frame):
    rows = read(objective, split, 8, first=36)  # with the end of a document, so a short row
    whole = [objective.make_batch(rows, frame)]
    parts = [objective.make_batch(rows[first : first + 2], frame) for first in range(0, 8, 2)]
    assert len({objective.counts(part)["masked"] for part in parts}) > 1
    name = objective.kind
    counts, losses, gradient = gradients(objective, whole, dataset)
    other_counts, other_losses, other = gradients(objective, parts, dataset)
    assert counts == other_counts == {"masked": counts["masked"], name: 8}
    assert losses == pytest.approx(other_losses, rel=1e-5)
    torch.testing.assert_close(gradient, other, rtol=1e-4, atol=1e-6)
    _, _, without = gradients(type(objective)(pair_weight=0), whole, dataset)
    assert not torch.allclose(gradient, without, atol=1e-4)


def test_the_losses_are_those_of_transformers(objective, dataset, split, frame):
    torch.manual_seed(0)
    model = Bert(**SHAPE).build(dataset.vocabulary, LENGTH, objective.head).eval()
    batch = objective.make_batch(read(objective, split, 6), frame)
    losses, counts = objective.loss(model, batch), objective.counts(batch)
    inputs = objective.inputs(model, batch)
    expected = model(**inputs, labels=batch["labels"], next_sentence_label=batch["pair_labels"]).loss
    found = sum(losses[name] / counts[name] for name in losses)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    verdicts = model(**inputs).seq_relationship_logits
    pair = F.cross_entropy(verdicts, batch["pair_labels"], reduction="sum")
    torch.testing.assert_close(losses[objective.kind], pair, rtol=1e-5, atol=1e-5)


def test_two_sentences_that_were_cut_off_meet_where_one_ends():
    tokens = np.arange(12, 32)
    assert run_of(tokens, np.array([100, 130, 160]), VOCABULARY).bounds.tolist() == [0, 10, 20]
    assert run_of(tokens, np.array([100, 104, 160]), VOCABULARY).bounds.tolist() == [0, 4, 20]
    assert run_of(tokens, np.array([100, 160, 163]), VOCABULARY).bounds.tolist() == [0, 17, 20]


def test_the_end_of_a_document_is_not_shown():
    run = run_of(np.array([20, 21, 22, EOS]), np.array([7, 9, 11]), VOCABULARY)
    assert run.tokens.tolist() == [20, 21, 22]
    assert run.bounds.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (3, {(20, 21, 22), (23, 24, 25)}),
        (2, {(20, 21), (23, 24)}),
        (1, {(20,), (23,), (25,)}),
        (9, {(20, 21, 22, 23, 24, 25)}),
    ],
)
def test_whole_sentences_stand_in_if_one_fits(room, expected):
    run = run_of(np.arange(20, 26), np.array([0, 3, 5, 6]), VOCABULARY)
    drawn = {tuple(stand_in(run, room, np.random.default_rng(seed)).tolist()) for seed in range(50)}
    assert drawn == expected
