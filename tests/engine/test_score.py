"""Scores against plain transformers, token by token, for every objective."""

import functools

import numpy as np
import pytest
import torch

from raylm.config import BadInput
from raylm.engine.score import Scorer
from raylm.engine.windows import windows
from raylm.kernels.label_logits import label_logits
from raylm.models import ModelFamily, Vocabulary
from raylm.objectives import Frame, Objective, Request
from raylm.recipe import Recipe  # which finds every kind

LENGTH = 16
SHAPE = {"num_layers": 2, "num_heads": 2, "hidden_size": 32}
VOCABULARY = Vocabulary(
    size=40,
    eos_token_id=1,
    pad_token_id=0,
    bos_token_id=2,
    mask_token_id=3,
    cls_token_id=4,
    sep_token_id=5,
    sentinel_ids=(6, 7, 8, 9),
    special_ids=tuple(range(10)),
)
FRAME = Frame(LENGTH, 0, VOCABULARY)
PAIRS = {
    "causal": "gpt2",
    "prefix": "llama",
    "masked": "roberta",
    "span_corruption": "t5",
    "permutation": "xlnet",
    "next_sentence": "bert",
    "sentence_order": "bert",
}
EVERY = pytest.mark.parametrize("kind", sorted(PAIRS))
BOTH_SIDES = sorted(set(PAIRS) - {"causal", "prefix"})


@functools.cache
def model_of(kind):
    assert Recipe
    torch.manual_seed(1)
    objective = Objective.model_validate({"kind": kind})
    family = ModelFamily.model_validate({"kind": PAIRS[kind], **SHAPE})
    model = family.build(VOCABULARY, LENGTH + 1, objective.head).eval()  # plain GPT reads the last token too
    for weight in model.parameters():  # fresh ones find every token about as likely
        weight.data += 0.1 * torch.randn_like(weight)
    return model


def scorer(kind, tokens_per_batch=None):
    return Scorer(model_of(kind), Objective.model_validate({"kind": kind}), FRAME, tokens_per_batch)


def ids(*shape, seed=0):
    return np.random.default_rng(seed).integers(10, 40, shape).astype(np.int64)


def requests(*lengths):
    return [
        Request(ids(context, seed=n), ids(text, seed=n + 50)) for n, (context, text) in enumerate(lengths)
    ]


MIXED = requests((0, 5), (3, 4), (0, 1), (6, 2), (2, 9), (0, 7), (1, 1))


def plain_causal(model, context, text):
    whole = torch.tensor([[1, *context, *text]])
    labels = whole.clone()
    labels[:, : 1 + len(context)] = -100
    return -model(input_ids=whole, labels=labels).loss.item() * len(text)


def plain_prefix(model, context, text):
    whole = torch.tensor([[1, *context, *text]])
    size, known = whole.shape[1], 1 + len(context)
    allowed = torch.ones(size, size).tril().bool()
    allowed[:, :known] = True
    logits = model(input_ids=whole, attention_mask=allowed[None, None]).logits[0].log_softmax(-1)
    return sum(logits[known + n - 1, token].item() for n, token in enumerate(text))


def plain_masked(model, context, text):
    total = 0.0
    whole = [4, *context, *text, 5]
    for n, token in enumerate(text):
        place = 1 + len(context) + n
        hidden = torch.tensor([[*whole[:place], 3, *whole[place + 1 :]]])
        output = model(input_ids=hidden)
        logits = output.logits if "logits" in output else output.prediction_logits
        total += logits[0, place].log_softmax(-1)[token].item()
    return total


def plain_span_corruption(model, context, text):
    total = 0.0
    for n, token in enumerate(text):
        seen = torch.tensor([[*context, *text[:n], 6, *text[n + 1 :], 1]])
        output = model(input_ids=seen, decoder_input_ids=torch.tensor([[0, 6]]))
        total += output.logits[0, 1].log_softmax(-1)[token].item()
    return total


def plain_permutation(model, context, text):
    total = 0.0
    whole = torch.tensor([[*context, *text, 5, 4]])
    size = whole.shape[1]
    segments = torch.tensor([[0] * (size - 1) + [2]])
    for n, token in enumerate(text):
        place = len(context) + n
        hidden = torch.zeros(1, size, size)
        hidden[:, :, place] = 1
        mapping = torch.zeros(1, 1, size)
        mapping[0, 0, place] = 1
        output = model(input_ids=whole, perm_mask=hidden, target_mapping=mapping, token_type_ids=segments)
        total += output.logits[0, 0].log_softmax(-1)[token].item()
    return total


PLAIN = {
    "causal": plain_causal,
    "prefix": plain_prefix,
    "masked": plain_masked,
    "span_corruption": plain_span_corruption,
    "permutation": plain_permutation,
    "next_sentence": plain_masked,
    "sentence_order": plain_masked,
}


def numbers(scores):
    return [each.log_probability for each in scores]


@EVERY
@torch.no_grad()
def test_a_score_is_what_plain_transformers_gives(kind):
    expected = [PLAIN[kind](model_of(kind), each.context, each.text) for each in MIXED]
    scores = scorer(kind).scores(MIXED)
    assert numbers(scores) == pytest.approx(expected, rel=1e-4)
    assert [each.num_tokens for each in scores] == [len(each.text) for each in MIXED]
    assert len({round(each, 3) for each in numbers(scores)}) == len(MIXED)


@EVERY
def test_the_size_of_batches_and_the_company_change_no_score(kind):
    alone = [scorer(kind).scores([each])[0] for each in MIXED]
    for tokens_per_batch in (1, 40, 10_000):
        together = scorer(kind, tokens_per_batch).scores(MIXED)
        assert numbers(together) == pytest.approx(numbers(alone), rel=1e-4)
        assert [each.is_greedy for each in together] == [each.is_greedy for each in alone]


@EVERY
def test_no_pass_takes_more_tokens_than_it_may_however_long_the_text(kind):
    sizes = []
    model = model_of(kind)

    def note(_module, _arguments, inputs):
        sizes.append(inputs["input_ids"].numel())

    handle = model.register_forward_pre_hook(note, with_kwargs=True)
    score = scorer(kind, 64).scores(requests((0, 300)))[0]
    handle.remove()
    assert score.num_tokens == 300
    assert len(sizes) > 5
    assert max(sizes) <= 64


@EVERY
def test_a_long_text_is_the_sum_of_its_windows(kind):
    subject = scorer(kind)
    long = requests((0, 3 * LENGTH + 5))[0]
    parts = windows(long, subject.room, subject.stride(None))
    assert len(parts) > 3
    with torch.no_grad():
        expected = sum(PLAIN[kind](model_of(kind), each.context, each.text) for each in parts)
    assert subject.scores([long])[0].log_probability == pytest.approx(expected, rel=1e-4)


@EVERY
def test_a_text_is_greedy_only_if_each_token_is_the_likeliest(kind):
    subject = scorer(kind)
    context = ids(4, seed=9)
    candidates = [Request(context, np.array([token])) for token in range(10, 40)]
    scores = subject.scores(candidates)
    best = int(np.argmax(numbers(scores)))
    greedy = [number for number, each in enumerate(scores) if each.is_greedy]
    assert greedy in ([best], [])  # a special token may be likelier than all of them
    assert not subject.scores([Request(context, np.array([10 + best, 10 + (best + 1) % 30] * 4))])[
        0
    ].is_greedy


def test_some_text_is_greedy():
    found = []
    for seed in range(20):
        candidates = [Request(ids(4, seed=seed), np.array([token])) for token in range(40)]
        found += [each for each in scorer("causal").scores(candidates) if each.is_greedy]
    assert len(found) == 20  # one likeliest token for each context


@EVERY
def test_what_fits_into_a_window_is_found_by_asking(kind):
    beside = {"causal": 0, "prefix": 0, "span_corruption": 1}
    assert scorer(kind).room == LENGTH - beside.get(kind, 2)


@pytest.mark.parametrize("kind", BOTH_SIDES)
def test_windows_that_see_both_sides_do_not_overlap(kind):
    subject = scorer(kind)
    assert subject.stride(None) == subject.room


def test_a_stride_beyond_the_window_is_refused():
    with pytest.raises(BadInput, match="17 tokens do not fit into a window of 16"):
        scorer("causal").scores(MIXED, stride=LENGTH + 1)


@pytest.mark.parametrize("room", [4, 7])
@pytest.mark.parametrize("stride", [1, 3, 4])
@pytest.mark.parametrize("context", [0, 2, 4, 9])
@pytest.mark.parametrize("length", [1, 4, 5, 23])
def test_windows_ask_for_each_token_once_with_all_the_context_there_is_room_for(
    room, stride, context, length
):
    whole = np.arange(context + length)
    made = windows(Request(whole[:context], whole[context:]), room, stride)
    assert np.concatenate([each.text for each in made]).tolist() == whole[context:].tolist()
    for number, each in enumerate(made):
        seen = np.concatenate([each.context, each.text])
        assert len(each.text) > 0
        assert len(seen) <= room
        assert seen.tolist() == list(range(seen[0], seen[-1] + 1))
        if number or context >= room:
            assert len(each.text) <= stride
            assert len(seen) == room
        else:
            assert seen[0] == 0


def test_progress_rises_to_one():
    shares = []
    scorer("masked", 32).scores(MIXED, report=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 2
    assert shares[-1] == 1.0


def test_nothing_asked_gives_nothing():
    assert scorer("masked").scores([]) == []


@EVERY
@torch.no_grad()
def test_the_head_sees_only_the_places_that_count(kind):
    model, objective = model_of(kind), Objective.model_validate({"kind": kind})
    batch = objective.scoring(MIXED, FRAME).batch
    inputs = objective.inputs(model, batch)
    is_label = batch["labels"] != -100
    seen = []
    head = model.get_output_embeddings()
    handle = head.register_forward_hook(
        lambda _module, arguments, _output: seen.append(arguments[0].shape[:-1])
    )
    logits = label_logits(model, inputs, is_label)
    handle.remove()
    assert seen == [(int(is_label.sum()),)]
    output = model(**inputs)
    expected = output.logits if "logits" in output else output.prediction_logits
    torch.testing.assert_close(logits, expected[is_label], rtol=1e-4, atol=1e-4)
