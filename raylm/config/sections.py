"""Plain sections of a recipe: what every run sets, whatever its model, objective or data."""

import math
import re
from collections.abc import Sequence
from types import NoneType
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from raylm.config.errors import BadInput, Problem
from raylm.config.placement import Demand, Node, placement_problem
from raylm.config.secrets import shown

_TIME = re.compile(r"\d+:\d+(:\d+)?")


def knob(
    default: Any = ...,
    *,
    unit: str = "",
    group: str = "",
    advanced: bool = False,
    usual: str = "",
    **constraints: Any,
) -> Any:
    """Declare a field together with what a form needs to show it.

    Args:
        default: the value when the recipe gives none; without it the field is required.
        unit: what one of the value is, such as "steps".
        group: the heading under which a form shows the field; the section's own by default.
        advanced: whether a form hides the field at first.
        usual: values that work, as an error may suggest them, such as "1e-5 to 1e-3".
        constraints: what pydantic's Field takes, such as ge=1.
    """
    extra = {"unit": unit, "group": group, "advanced": advanced, "usual": usual}
    return Field(default, json_schema_extra=extra, **constraints)


class Section(BaseModel):
    """A frozen part of a recipe; an unknown field is an error, and a field's docstring is its help."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        polymorphic_serialization=True,
        allow_inf_nan=False,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _keep_types_apart(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true` and `"8"` where a number is wanted: pydantic would take both as numbers."""
        assert info.field_name is not None
        types = _leaf_types(cls.model_fields[info.field_name].annotation)
        is_number = bool(types & {int, float}) and not types & {str, bool}
        if (is_number and isinstance(value, bool | str)) or (
            types <= {bool, NoneType} and isinstance(value, str)
        ):
            raise PydanticCustomError("wrong_type", "{got}", {"got": _got(value)})
        return value


def _leaf_types(annotation: Any) -> set[type]:
    """Return the types of a union; a container counts as itself."""
    if isinstance(annotation, type):
        return {annotation}
    leaves = [_leaf_types(part) for part in get_args(annotation)]
    return set().union(*leaves) if leaves else {type(annotation)}


def _got(value: Any) -> str:
    is_time = isinstance(value, str) and _TIME.fullmatch(value)
    return f"got a time, {shown(value)}" if is_time else f"got {shown(value)}"


class TrainSection(Section):
    """How long to train, on which batches."""

    max_steps: int | None = knob(None, unit="steps", ge=1, le=10**9)
    """Optimizer steps in the whole run. Give one of max_steps, max_tokens and epochs."""
    max_tokens: int | None = knob(None, unit="tokens", ge=1, le=10**15)
    """Training tokens in the whole run, over all workers; rounded up to a whole step."""
    epochs: float | None = knob(None, unit="passes", gt=0, le=10**6)
    """Passes over the training split; rounded up to a whole step."""
    target_loss: float | None = knob(None, unit="nats", gt=0)
    """Stop early, once eval/loss is at or below this; needs one of the three limits beside it."""
    sequence_length: int = knob(256, unit="tokens", ge=2, le=10**6)
    """Tokens in one sequence."""
    global_batch_size: int = knob(32, unit="sequences", ge=1, le=10**6)
    """Sequences in one optimizer step, over all workers."""
    micro_batch_size: int = knob(8, unit="sequences", ge=1, le=10**6)
    """The most sequences a worker takes in one forward pass; lower it when memory is short."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """The numbers the model computes in; auto: bfloat16 where the hardware multiplies it, else float32."""
    seed: int = knob(0, ge=0, lt=2**63)
    """Where the random numbers start: initial weights, order of the data, dropout."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [name for name in ("max_steps", "max_tokens", "epochs") if getattr(self, name) is not None]
        if len(given) != 1:
            rule = "give one of train.max_steps, train.max_tokens, train.epochs"
            what = f"{' and '.join(given)} are both given" if given else "no limit is given"
            raise PydanticCustomError("limits", "{text}", {"text": f"{what}; {rule}"})
        return self

    def micro_batch(self, world_size: int) -> int:
        """Return the sequences of one forward pass: the largest divisor of a worker's share within the limit.

        Raises:
            BadInput: the global batch cannot be shared equally among the workers.
        """
        share, rest = divmod(self.global_batch_size, world_size)
        if rest or not share:
            near = world_size * max(1, round(self.global_batch_size / world_size))
            message = (
                f"{self.global_batch_size} sequences cannot be shared equally among {world_size} workers "
                f"(scaling.num_workers), {self.micro_batch_size} or fewer (train.micro_batch_size) at a time"
            )
            raise BadInput.one("train.global_batch_size", message, f"try {near}", code="batch")
        return max(size for size in range(1, min(self.micro_batch_size, share) + 1) if share % size == 0)

    def num_steps(self, num_rows: int) -> int:
        """Return the optimizer steps of the whole run, given the rows (sequences) of the training split."""
        if self.max_steps is not None:
            return self.max_steps
        if self.max_tokens is not None:
            return math.ceil(self.max_tokens / self.tokens_per_step)
        assert self.epochs is not None
        return math.ceil(self.epochs * num_rows / self.global_batch_size)

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one optimizer step over all workers."""
        return self.global_batch_size * self.sequence_length


class ScalingSection(Section):
    """Where the work runs: in this process, or on how many Ray workers of what size."""

    num_workers: int = knob(1, unit="workers", ge=0, le=16384)
    """Ray workers; 0 trains in this process, without Ray."""
    strategy: Literal["ddp", "fsdp"] = "ddp"
    """ddp: each worker holds the whole model; fsdp: the workers share weights, gradients and optimizer."""
    cpus_per_worker: float = knob(1, unit="CPUs", gt=0, le=4096)
    """CPUs that Ray keeps for each worker."""
    gpus_per_worker: int = knob(0, unit="GPUs", ge=0, le=1)
    """GPUs of each worker: 0 or 1."""
    threads_per_worker: int | None = knob(None, unit="threads", ge=1, le=4096, advanced=True)
    """Threads of each worker's arithmetic; unset: 1 on a Ray worker, all cores in this process."""
    address: str | None = knob(None, advanced=True)
    """A Ray cluster to run on; unset: a small local one is started."""
    max_restarts: int = knob(3, unit="restarts", ge=0, le=10**6, advanced=True)
    """How often the workers are started again after a failure, before the run counts as failed."""

    def placement_problem(self, nodes: Sequence[Node], reserved_cpus: float = 0) -> Problem | None:
        """Return why these nodes cannot hold the workers, or None when they can."""
        demand = Demand(self.num_workers, self.cpus_per_worker, self.gpus_per_worker, reserved_cpus)
        return placement_problem(demand, nodes)


class CheckpointSection(Section):
    """When to save, and how many checkpoints to keep."""

    every_steps: int = knob(1000, unit="steps", ge=1, le=10**9)
    """Steps between checkpoints; one is also saved at the end and on a stop."""
    keep_last: int = knob(3, unit="checkpoints", ge=1, le=10**6)
    """Newest checkpoints that stay; the last good one and pinned ones always stay."""
    keep_best: bool = False
    """Whether each evaluation that is the best so far (evaluate.metric) is saved, and the best one stays."""


class EvaluateSection(Section):
    """When to compute the loss over the whole validation split."""

    every_steps: int | None = knob(None, unit="steps", ge=1, le=10**9)
    """Steps between evaluations; unset: at the end only."""
    metric: str = knob("eval/loss", advanced=True)
    """What says which evaluation is the best: eval/loss, or what else is recorded, such as eval/accuracy."""
    patience: int | None = knob(None, unit="evaluations", ge=1, le=10**6)
    """Stop when so many evaluations in a row have not been better than the best before them."""
