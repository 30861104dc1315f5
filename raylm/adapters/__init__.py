"""What an adapter is: few weights trained beside a model that stays as it is; every other file is a kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, ClassVar

from pydantic import field_validator

from raylm.config.choice import Choice
from raylm.config.errors import Problem
from raylm.config.sections import knob

__all__ = ["Adapter", "LowRank"]


class Adapter(Choice):
    """Which few weights are trained in place of all."""

    is_quantized: ClassVar[bool] = False
    """Whether the weights beneath are stored in fewer bits than they are computed in."""

    def problems(self) -> Iterable[Problem]:
        """Return why it cannot be trained on this machine."""
        if find_spec("peft") is None:
            mend = "pip install 'raylm[finetune]'"
            yield Problem("adapter.kind", "peft is not installed", mend, code="missing_package")

    @abstractmethod
    def settings(self, fresh: Iterable[str]) -> Any:
        """Return peft's configuration.

        Args:
            fresh: modules that no pretrained weights were found for: they are trained whole.
        """

    def quantization(self) -> Any:
        """Return transformers' configuration of how the weights beneath are stored; None for as they are."""
        return None


class LowRank(Adapter):
    """What the kinds share that add a product of thin matrices to a weight (Hu et al. 2022, section 4.1)."""

    rank: int = knob(8, ge=1, le=4096)
    """Width of the two matrices."""
    alpha: float = knob(16, gt=0, le=1e6)
    """The product counts alpha / rank times."""
    dropout: float = knob(0.0, ge=0, lt=1, advanced=True)
    """Share of the adapter's inputs dropped while training."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """Ends of the names of the layers that get an adapter, such as [query, value]; all-linear: every
    linear layer but the head (Dettmers et al. 2023, section 4). Embeddings that are not the head's too can be
    named."""

    @field_validator("target_modules")
    @classmethod
    def _one_name_is_a_list(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """Return a single name as a list of one: peft would take it for a pattern of whole names."""
        return (names,) if isinstance(names, str) and names != "all-linear" else names

    options: ClassVar[dict[str, Any]] = {}
    """What the kind sets of peft's configuration."""

    def settings(self, fresh: Iterable[str]) -> Any:
        from peft import LoraConfig

        targets = self.target_modules
        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # pyright: ignore[reportArgumentType] - any number will do
            lora_dropout=self.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            modules_to_save=sorted(fresh) or None,
            **self.options,
        )
