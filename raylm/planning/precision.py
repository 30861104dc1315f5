"""Which numbers a model computes in where the recipe leaves it to the hardware."""

from __future__ import annotations

from raylm.recipe import Recipe

# Instructions that multiply bfloat16, by the names of torch.cpu.get_capabilities: x86 and ARM.
_MULTIPLY = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def settled(recipe: Recipe) -> Recipe:
    """Return the recipe with its precision decided, so that a run and every resume of it compute in the same.

    `auto` is bfloat16 on a GPU, and on a processor that multiplies bfloat16; another processor emulates it,
    tens of times slower than float32. This machine's processor speaks for those of a cluster.
    """
    if recipe.train.precision != "auto":
        return recipe
    is_half = recipe.scaling.gpus_per_worker > 0 or processor_multiplies_bfloat16()
    train = recipe.train.model_copy(update={"precision": "bfloat16" if is_half else "float32"})
    return recipe.model_copy(update={"train": train})


def processor_multiplies_bfloat16() -> bool:
    """Whether this machine's processor has instructions for products of bfloat16."""
    import torch  # only where it is asked: a plan is made without it

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in _MULTIPLY)
