"""Every model family keeps the contract: what it counts is what it builds, and what it saves comes back."""

import math

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig

from raylm.config import BadInput, discover
from raylm.kernels.frame import IGNORE_INDEX
from raylm.kernels.head_loss import head_loss
from raylm.models import SIZES, ModelFamily, Vocabulary
from tests.tiny import tiny_recipe

discover("raylm.models")
FAMILIES = sorted(set(ModelFamily.kinds) - {"pretrained"})  # which has a file of tests of its own
VOCABULARY = Vocabulary(97, eos_token_id=0, pad_token_id=1, bos_token_id=2)
LENGTH = 24
SHAPE = {"num_layers": 2, "num_heads": 4, "hidden_size": 32}
SHAPES = [(kind, SHAPE) for kind in FAMILIES]
SHAPES += [(kind, {"num_layers": 3, "num_heads": 2, "hidden_size": 48, "dropout": 0.1}) for kind in FAMILIES]
SHAPES += [("bert", {**SHAPE, "initializer_range": 0.1})]
SHAPES += [
    ("llama", {**SHAPE, "num_key_value_heads": 2}),
    ("llama", {**SHAPE, "num_key_value_heads": 1, "intermediate_size": 50, "is_tied": False}),
]


def family(kind: str, **shape) -> ModelFamily:
    return ModelFamily.model_validate({"kind": kind, **(shape or SHAPE)})


def build(kind: str, seed: int = 0, **shape):
    torch.manual_seed(seed)
    return family(kind, **shape).build(VOCABULARY, LENGTH)


def random_ids(num_rows: int = 8, length: int = LENGTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(4, VOCABULARY.size, (num_rows, length), generator=generator)


def inputs_of(model, num_rows: int = 8) -> dict[str, torch.Tensor]:
    """Return what the model reads: ids, and a quarter as many for a decoder of its own."""
    inputs = {"input_ids": random_ids(num_rows)}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = random_ids(num_rows, LENGTH // 4)
    return inputs


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_the_parameters_counted_are_the_parameters_built(kind, shape):
    for head in family(kind, **shape).heads:
        counted = family(kind, **shape).num_parameters(VOCABULARY.size, LENGTH, head)
        built = family(kind, **shape).build(VOCABULARY, LENGTH, head)
        assert counted == sum(weight.numel() for weight in built.parameters())


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_the_flops_estimated_are_the_flops_of_the_matrix_products(kind, shape):
    model = build(kind, **shape)
    model.set_attn_implementation("eager")  # its products are ordinary ones, which the counter sees
    num_rows = 32  # what is done once a batch is not counted
    inputs = inputs_of(model, num_rows)
    more = (
        {"use_cache": False} if model.config.is_encoder_decoder or hasattr(model.config, "use_cache") else {}
    )
    with FlopCounterMode(display=False) as counter:
        model(**inputs, **more).logits.sum().backward()
    num_tokens = sum(ids.numel() for ids in inputs.values())
    assert num_tokens == num_rows * LENGTH * family(kind).reads
    estimated = family(kind, **shape).flops_per_token(VOCABULARY.size, LENGTH) * num_tokens
    assert estimated == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_the_flops_of_the_head_are_those_of_the_tokens_it_predicts(kind):
    model = build(kind)
    model.set_attn_implementation("eager")
    inputs = inputs_of(model, 32)
    labels = list(inputs.values())[-1].clone()
    labels[:, 1::2] = IGNORE_INDEX
    with FlopCounterMode(display=False) as counter:
        head_loss(model, inputs, labels, is_sparse=True).total.backward()
    num_inputs = sum(ids.numel() for ids in inputs.values())
    made, num_targets = family(kind), int((labels != IGNORE_INDEX).sum())
    estimated = made.body_flops_per_token(LENGTH) * num_inputs
    estimated += made.head_flops_per_token(VOCABULARY.size) * num_targets
    assert estimated == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_a_saved_model_comes_back_with_its_configuration_and_weights(kind, shape, tmp_path):
    model = build(kind, **shape).eval()
    model.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).to_diff_dict() == model.config.to_diff_dict()
    again = type(model).from_pretrained(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(again(**inputs_of(model)).logits, model(**inputs_of(model)).logits)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(kind):
    one, same, other = (dict(build(kind, seed).named_parameters()) for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert {weight.dtype for weight in one.values()} == {torch.float32}


@pytest.mark.parametrize("kind", FAMILIES)
def test_fresh_weights_know_nothing_so_their_loss_is_the_logarithm_of_the_vocabulary(kind):
    model = build(kind).eval()
    with torch.no_grad():
        logits = model(**inputs_of(model)).logits
    targets = random_ids(*logits.shape[:2]).roll(1)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    # T5's fresh logits have a variance of 1, the others' next to none.
    surplus = 0.5 if kind == "t5" else 0.0
    assert loss.item() == pytest.approx(math.log(VOCABULARY.size) + surplus, abs=0.02)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_ids_with_a_meaning_reach_the_configuration(kind):
    config = family(kind).config(Vocabulary(97, eos_token_id=5, pad_token_id=6), LENGTH)
    assert (config.vocab_size, config.eos_token_id, config.pad_token_id) == (97, 5, 6)
    # RoBERTa's positions are counted from behind the padding's id; T5's and XLNet's are relative.
    expected = {"roberta": LENGTH + 7, "t5": None, "xlnet": -1}.get(kind, LENGTH)
    assert getattr(config, "max_position_embeddings", None) == expected


def refusal(**fields) -> str:
    with pytest.raises(BadInput) as caught:
        tiny_recipe(model=fields)
    return str(caught.value)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_size_stands_for_a_shape(kind):
    tiny, base = family(kind, size="tiny"), family(kind, size="base")
    assert (tiny.num_layers, tiny.num_heads, tiny.hidden_size) == (2, 2, 128)
    assert base.model_dump(exclude={"size"}) == family(kind, dropout=0.0).model_dump(exclude={"size"})
    sizes = [family(kind, size=size).num_parameters(30_522, 512) for size in SIZES]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_number_beside_a_size_is_its_own_or_refused(kind):
    assert family(kind, size="tiny", num_layers=2).num_layers == 2
    said = refusal(kind=kind, size="tiny", num_heads=4, hidden_size=64)
    assert "size tiny is num_layers 2, num_heads 2, hidden_size 128; num_heads 4, hidden_size 64" in said
    assert "leave out size, or those" in said


def test_the_base_shapes_have_the_published_numbers_of_parameters():
    millions = {
        "gpt2": (50_257, 1024, None, 124.4),
        "bert": (30_522, 512, "pretraining", 110.1),
        "roberta": (50_265, 512, None, 124.7),
        "t5": (32_128, 512, None, 222.9),
        "xlnet": (32_000, 512, None, 116.7),
    }
    for kind, (vocab_size, length, head, expected) in millions.items():
        counted = family(kind, size="base").num_parameters(vocab_size, length, head)
        assert counted / 1e6 == pytest.approx(expected, abs=0.1), kind


@pytest.mark.parametrize("kind", FAMILIES)
def test_row_59_heads_that_do_not_divide_name_near_values(kind):
    said = refusal(kind=kind, num_heads=4, hidden_size=33, dropout=0.0)
    assert "model: hidden_size (33) must be a multiple of num_heads (4); near values: 32, 36" in said


def test_row_60_key_value_heads_that_do_not_divide_are_refused():
    said = refusal(kind="llama", num_heads=4, num_key_value_heads=3)
    assert "num_key_value_heads (3) does not divide num_heads (4)" in said


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("num_layers", 0, "must be a whole number >= 1, got 0"),
        ("num_layers", -1, "must be a whole number >= 1, got -1"),
        ("num_heads", 0, "must be a whole number >= 1, got 0"),
        ("hidden_size", 0, "must be a whole number >= 1, got 0"),
        ("dropout", 1.5, "got 1.5"),
        ("dropout", -0.1, "got -0.1"),
    ],
)
def test_rows_61_to_63_a_size_that_cannot_be_is_refused_with_its_field(kind, field, value, says):
    said = refusal(kind=kind, **{field: value})
    assert f"model.{field}: " in said
    assert says in said
