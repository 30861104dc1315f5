"""Every optimizer decays matrices and embeddings only, and says how much memory its state takes."""

import pytest
import torch

from raylm.config import discover
from raylm.models import Vocabulary
from raylm.models.gpt2 import GPT2
from raylm.optim.optimizers import Optimizer

discover("raylm.optim.optimizers")
KINDS = sorted(Optimizer.kinds)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT2(num_layers=2, num_heads=2, hidden_size=32).build(Vocabulary(50), 16)


def built(kind: str, model, **fields):
    shared = {"learning_rate": 1e-3, "weight_decay": 0.5}
    return Optimizer.model_validate({"kind": kind, **shared, **fields}).build(model)


def step_with_zero_gradients(optimizer, model) -> None:
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()


@pytest.mark.parametrize("kind", KINDS)
def test_every_trained_weight_is_in_one_group_and_no_frozen_one(kind, model):
    frozen = next(iter(model.parameters())).requires_grad_(requires_grad=False)
    held = [weight for group in built(kind, model).param_groups for weight in group["params"]]
    assert len(held) == len({id(weight) for weight in held})
    assert {id(weight) for weight in held} == {id(weight) for weight in model.parameters()} - {id(frozen)}


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_and_embeddings_decay_and_nothing_else(kind, model):
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    step_with_zero_gradients(built(kind, model), model)
    for name, weight in model.named_parameters():
        expected = before[name] * (1 - 1e-3 * 0.5) if weight.dim() > 1 else before[name]
        torch.testing.assert_close(weight.detach(), expected, msg=name)
    assert before["transformer.wte.weight"].dim() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_takes_the_memory_that_it_says(kind, model):
    optimizer = built(kind, model)
    step_with_zero_gradients(optimizer, model)
    values = [value for state in optimizer.state.values() for value in state.values()]
    num_bytes = sum(value.nbytes for value in values if value.dim())
    num_parameters = sum(weight.numel() for weight in model.parameters())
    stated = Optimizer.model_validate({"kind": kind}).state_bytes_per_parameter
    assert num_bytes == stated * num_parameters


def test_adamw_takes_the_published_first_step(model):
    """With bias correction the first step is the learning rate times the gradient's sign."""
    weight = model.transformer.ln_f.weight
    before = weight.detach().clone()
    optimizer = built("adamw", model, betas=(0.9, 0.99))
    for each in model.parameters():
        each.grad = torch.full_like(each, -0.25)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), before + 1e-3)
