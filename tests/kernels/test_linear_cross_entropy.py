"""The fused head gives torch's loss and gradients, however small its chunks are."""

import pytest
import torch
from torch.nn import functional as F

from raylm.kernels import linear_cross_entropy as kernel
from raylm.kernels.linear_cross_entropy import linear_cross_entropy

NUM_ROWS, VOCAB_SIZE, HIDDEN_SIZE = 200, 97, 16
ROW_BYTES = 4 * VOCAB_SIZE


@pytest.fixture(params=[1, 100 * ROW_BYTES, 200 * ROW_BYTES, 1 << 30], ids=["64", "100", "200", "all"])
def chunk_bytes(request, monkeypatch):
    monkeypatch.setitem(kernel.CHUNK_BYTES, "cpu", request.param)


def make(dtype=torch.float32):
    """Return hidden states (4, 50, D), weights (V, D) and labels (4, 50), a third of them left out."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, NUM_ROWS // 4, HIDDEN_SIZE, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(VOCAB_SIZE, HIDDEN_SIZE, generator=generator).to(dtype).requires_grad_()
    labels = torch.randint(VOCAB_SIZE, (4, NUM_ROWS // 4), generator=generator)
    labels[:, ::3] = -100
    return hidden, weight, labels


def torch_loss(hidden, weight, labels):
    logits = F.linear(hidden, weight).float().flatten(0, 1)
    return F.cross_entropy(logits, labels.flatten(), reduction="sum")


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"), [(torch.float32, 1e-5, 1e-5), (torch.bfloat16, 5e-2, 5e-2)]
)
def test_loss_and_gradients_are_torchs(dtype, rtol, atol):
    hidden, weight, labels = make(dtype)
    scale = 0.37  # what comes from above is not one
    expected = torch_loss(hidden, weight, labels)
    wanted = torch.autograd.grad(expected * scale, (hidden, weight))
    loss = linear_cross_entropy(hidden, weight, labels)
    found = torch.autograd.grad(loss * scale, (hidden, weight))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=1e-5 if dtype == torch.float32 else 1e-2, atol=1e-5)
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one, other, rtol=rtol, atol=atol)


@pytest.mark.usefixtures("chunk_bytes")
def test_without_gradients_the_loss_is_the_same():
    hidden, weight, labels = make()
    with torch.no_grad():
        loss = linear_cross_entropy(hidden, weight, labels)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, linear_cross_entropy(hidden, weight, labels).detach())


@pytest.mark.usefixtures("chunk_bytes")
def test_labels_that_are_all_left_out_give_nothing_and_move_nothing():
    hidden, weight, labels = make()
    loss = linear_cross_entropy(hidden, weight, torch.full_like(labels, -100))
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad.abs().max() == 0
    assert weight.grad.abs().max() == 0


def test_only_the_weights_may_need_a_gradient():
    hidden, weight, labels = make()
    linear_cross_entropy(hidden.detach(), weight, labels).backward()
    torch_grad = torch.autograd.grad(torch_loss(hidden, weight, labels), weight)[0]
    torch.testing.assert_close(weight.grad, torch_grad, rtol=1e-5, atol=1e-5)


def test_a_frozen_head_keeps_no_gradient_and_changes_none_of_the_others():
    hidden, weight, labels = torch.randn(6, 4), torch.randn(9, 4), torch.randint(0, 9, (6,))
    gradients = []
    for is_frozen in (False, True):
        inputs = hidden.clone().requires_grad_()
        head = weight.clone().requires_grad_(not is_frozen)
        loss = linear_cross_entropy(inputs, head, labels)
        kept = [saved for saved in loss.grad_fn.saved_tensors if saved is not None]
        assert (weight.shape in [saved.shape for saved in kept]) != is_frozen
        loss.backward()
        gradients.append(inputs.grad)
    assert torch.equal(*gradients)


def test_scores_too_large_for_an_exponential_stay_finite():
    hidden, weight, labels = make()
    loss = linear_cross_entropy(hidden * 1e4, weight, labels)
    loss.backward()
    torch.testing.assert_close(loss, torch_loss(hidden * 1e4, weight, labels))
    assert torch.isfinite(weight.grad).all()
