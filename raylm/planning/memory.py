"""How much memory a worker needs, by a formula that is shown with the figure."""

from typing import NamedTuple

from raylm.recipe import Recipe

FORMULA = (
    "libraries 0.43 GB + parameters x 4 bytes + trained ones x (4 gradients + optimizer state) bytes "
    "+ micro-batch x sequence length x activation bytes; fsdp shares the middle terms among the workers"
)
# Peak of a run beyond its model: 473 MB altogether for the 0.8M parameters of the Shakespeare example, on a
# CPU with torch 2.13 and transformers 5 (measured).
RUNTIME_BYTES = 430_000_000
WEIGHT_BYTES = 4  # weights and gradients are float32 in every precision


class Memory(NamedTuple):
    """Bytes of one worker, and of one checkpoint of the whole run."""

    worker_bytes: int
    checkpoint_bytes: int


def estimate_memory(recipe: Recipe, num_parameters: int, num_trained: int | None = None) -> Memory:
    """Return what a worker holds at the end of the forward pass, its fullest, and what a checkpoint takes.

    Args:
        recipe: of the run.
        num_parameters: of the model.
        num_trained: those of them that are trained; all by default.
    """
    trained = num_parameters if num_trained is None else num_trained
    world_size = max(1, recipe.scaling.num_workers)
    state = recipe.optimizer.state_bytes_per_parameter
    shares = world_size if recipe.scaling.strategy == "fsdp" else 1
    held = (num_parameters * WEIGHT_BYTES + trained * (WEIGHT_BYTES + state)) // shares
    tokens = recipe.train.micro_batch(world_size) * recipe.train.sequence_length
    activations = tokens * recipe.model.activation_bytes_per_token(recipe.train.sequence_length)
    kept = trained if recipe.adapter is not None else num_parameters  # an adapter is saved alone
    return Memory(RUNTIME_BYTES + held + activations, kept * WEIGHT_BYTES + trained * state)
