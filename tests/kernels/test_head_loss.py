"""The fused loss is the loss of the model's own logits, for every head that transformers builds."""

import pytest
import torch
from torch.nn import functional as F

from raylm.config import discover
from raylm.kernels.head_loss import head_loss
from raylm.kernels.linear_cross_entropy import linear_cross_entropy
from raylm.models import CLASSIFYING, ModelFamily, Vocabulary

discover("raylm.models")
VOCABULARY = Vocabulary(90, eos_token_id=0, pad_token_id=1, bos_token_id=2)
CASES = [
    (kind, head)
    for kind, family in sorted(ModelFamily.kinds.items())
    if kind != "pretrained"
    for head in family.heads
    if head not in CLASSIFYING
]


def setting(kind: str, head: str):
    torch.manual_seed(0)
    model = ModelFamily.model_validate({"kind": kind, "num_layers": 1, "num_heads": 2, "hidden_size": 16})
    built = model.build(VOCABULARY, 12, head)
    ids = torch.randint(3, 90, (4, 12))
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids} if built.config.is_encoder_decoder else {})
    labels = torch.where(torch.rand(4, 12) < 0.4, ids.roll(1), -100)
    return built, inputs, labels


def plain(model, inputs, labels):
    output = model(**inputs)
    logits = output.logits if "logits" in output else output.prediction_logits
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")


@pytest.mark.parametrize(("kind", "head"), CASES)
@pytest.mark.parametrize("is_sparse", [True, False])
def test_loss_and_gradients_are_those_of_the_plain_computation(kind, head, is_sparse):
    model, inputs, labels = setting(kind, head)
    expected = plain(model, inputs, labels)
    expected.backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    total = head_loss(model, inputs, labels, is_sparse=is_sparse).total
    torch.testing.assert_close(total, expected)
    total.backward()
    for name, weight in model.named_parameters():
        assert (weight.grad is None) == (gradients[name] is None), name
        if weight.grad is not None:
            torch.testing.assert_close(weight.grad, gradients[name], rtol=1e-4, atol=1e-5, msg=name)


def test_the_head_is_as_it_was_afterwards():
    model, inputs, labels = setting("bert", "masked")
    before = model(**inputs).logits
    head_loss(model, inputs, labels)
    assert torch.equal(model(**inputs).logits, before)


@pytest.mark.parametrize(
    ("family", "cap"), [("gemma2", "final_logit_softcapping"), ("recurrent_gemma", "logits_soft_cap")]
)
def test_logits_that_are_squeezed_after_the_head_are_computed_in_full(family, cap):
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = {"vocab_size": 90, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **shape, **heads, **{cap: 0.1}))
    ids = torch.randint(3, 90, (2, 8))
    inputs = {"input_ids": ids, "use_cache": False}
    torch.testing.assert_close(head_loss(model, inputs, ids).total, plain(model, inputs, ids))


def test_no_target_at_all_is_no_loss_and_no_gradient():
    model, inputs, labels = setting("roberta", "masked")
    total = head_loss(model, inputs, torch.full_like(labels, -100), is_sparse=True).total
    assert total.item() == 0
    total.backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in model.parameters())


def test_a_bias_moves_the_loss_and_has_its_gradient():
    torch.manual_seed(0)
    hidden, weight, bias = (torch.randn(shape, requires_grad=True) for shape in ((200, 8), (40, 8), (40,)))
    labels = torch.randint(40, (200,))
    expected = F.cross_entropy(F.linear(hidden, weight, bias), labels, reduction="sum")
    wanted = torch.autograd.grad(expected, (hidden, weight, bias))
    total = linear_cross_entropy(hidden, weight, labels, bias)
    torch.testing.assert_close(total, expected)
    for found, other in zip(torch.autograd.grad(total, (hidden, weight, bias)), wanted, strict=True):
        torch.testing.assert_close(found, other, rtol=1e-4, atol=1e-4)
