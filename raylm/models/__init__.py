"""What a model family is; every other file here is one family over transformers' own classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from raylm.config.choice import Choice

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


class Vocabulary(NamedTuple):
    """What a model must know of the tokenizer: its size and the ids with a meaning."""

    size: int
    eos_token_id: int | None = None
    pad_token_id: int | None = None


def heads_do_not_divide(hidden_size: int, num_heads: int) -> str:
    """Say that the heads do not divide the hidden size, and name the near sizes that they do divide."""
    lower = hidden_size // num_heads * num_heads
    near = ", ".join(str(size) for size in (lower, lower + num_heads) if size)
    return f"hidden_size ({hidden_size}) must be a multiple of num_heads ({num_heads}); near values: {near}"


class ModelFamily(Choice):
    """The architecture: which family of models, and how large."""

    @abstractmethod
    def config(self, vocabulary: Vocabulary, sequence_length: int) -> PretrainedConfig:
        """Return the transformers configuration for sequences of at most `sequence_length` tokens."""

    @abstractmethod
    def build(self, vocabulary: Vocabulary, sequence_length: int) -> PreTrainedModel:
        """Return the model with fresh float32 weights, drawn from torch's global generator."""

    @abstractmethod
    def num_parameters(self, vocab_size: int, sequence_length: int) -> int:
        """Return the number of trained parameters, without building the model (tied weights count once)."""

    @abstractmethod
    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        """Return FLOPs of forward and backward for one token of a full sequence.

        6 N + 12 L D T, with N the parameters that multiply activations, L layers, D the hidden size and T the
        sequence length (Chowdhery et al. 2022, PaLM, appendix B).
        """

    @abstractmethod
    def activation_bytes_per_token(self, sequence_length: int) -> int:
        """Return bytes of float32 activations that a token keeps for backward (Korthikanti et al. 2022)."""
