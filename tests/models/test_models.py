"""Every model family keeps the contract: what it counts is what it builds, and what it saves comes back."""

import math

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig

from raylm.config import BadInput, discover
from raylm.models import ModelFamily, Vocabulary
from tests.tiny import tiny_recipe

discover("raylm.models")
FAMILIES = sorted(ModelFamily.kinds)
VOCABULARY = Vocabulary(97, eos_token_id=0)
LENGTH = 24
SHAPE = {"num_layers": 2, "num_heads": 4, "hidden_size": 32}
SHAPES = [(kind, SHAPE) for kind in FAMILIES]
SHAPES += [(kind, {"num_layers": 3, "num_heads": 2, "hidden_size": 48, "dropout": 0.1}) for kind in FAMILIES]
SHAPES += [
    ("llama", {**SHAPE, "num_key_value_heads": 2}),
    ("llama", {**SHAPE, "num_key_value_heads": 1, "intermediate_size": 50, "is_tied": False}),
]


def family(kind: str, **shape) -> ModelFamily:
    return ModelFamily.model_validate({"kind": kind, **(shape or SHAPE)})


def build(kind: str, seed: int = 0, **shape):
    torch.manual_seed(seed)
    return family(kind, **shape).build(VOCABULARY, LENGTH)


def random_ids(num_rows: int = 8) -> torch.Tensor:
    return torch.randint(VOCABULARY.size, (num_rows, LENGTH), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_the_parameters_counted_are_the_parameters_built(kind, shape):
    counted = family(kind, **shape).num_parameters(VOCABULARY.size, LENGTH)
    assert counted == sum(weight.numel() for weight in build(kind, **shape).parameters())


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_the_flops_estimated_are_the_flops_of_the_matrix_products(kind, shape):
    model = build(kind, **shape)
    model.set_attn_implementation("eager")  # its products are ordinary ones, which the counter sees
    ids = random_ids(2)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, use_cache=False).logits.sum().backward()
    estimated = family(kind, **shape).flops_per_token(VOCABULARY.size, LENGTH) * ids.numel()
    assert estimated == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_a_saved_model_comes_back_with_its_configuration_and_weights(kind, shape, tmp_path):
    model = build(kind, **shape).eval()
    model.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).to_diff_dict() == model.config.to_diff_dict()
    again = type(model).from_pretrained(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(again(random_ids()).logits, model(random_ids()).logits)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(kind):
    one, same, other = (dict(build(kind, seed).named_parameters()) for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert {weight.dtype for weight in one.values()} == {torch.float32}


@pytest.mark.parametrize("kind", FAMILIES)
def test_fresh_weights_know_nothing_so_their_loss_is_the_logarithm_of_the_vocabulary(kind):
    with torch.no_grad():
        logits = build(kind).eval()(input_ids=random_ids()).logits
    loss = F.cross_entropy(logits.flatten(0, 1), random_ids().roll(1).flatten())
    assert loss.item() == pytest.approx(math.log(VOCABULARY.size), abs=0.1)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_ids_with_a_meaning_reach_the_configuration(kind):
    config = family(kind).config(Vocabulary(97, eos_token_id=5, pad_token_id=6), LENGTH)
    assert (config.vocab_size, config.eos_token_id, config.pad_token_id) == (97, 5, 6)
    assert config.max_position_embeddings == LENGTH


def refusal(**fields) -> str:
    with pytest.raises(BadInput) as caught:
        tiny_recipe(model=fields)
    return str(caught.value)


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
