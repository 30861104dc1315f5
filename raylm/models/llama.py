"""Llama: rotary positions, RMSNorm, SwiGLU, grouped key-value heads (Touvron et al. 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from raylm.config.sections import knob
from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import LlamaConfig


class Llama(Transformer):
    """A Llama of any size; the defaults are a 135M model's shape."""

    kind: Literal["llama"] = "llama"
    num_key_value_heads: int | None = knob(None, ge=1, unit="heads", advanced=True)
    """Key and value heads, shared by groups of heads; must divide num_heads. Unset: as many as heads."""
    intermediate_size: int | None = knob(None, ge=1, unit="features", advanced=True)
    """Width of the feed-forward layer. Unset: 8/3 of the hidden size, rounded up to a multiple of 64."""
    rope_theta: float = knob(10000.0, gt=0, advanced=True)
    """Base of the rotary position frequencies."""
    is_tied: bool = knob(default=True, advanced=True)
    """Whether the output head shares its weights with the embedding."""
    heads: ClassVar = {
        "causal": "LlamaForCausalLM",
        "sequence_classification": "LlamaForSequenceClassification",
        "token_classification": "LlamaForTokenClassification",
        "question_answering": "LlamaForQuestionAnswering",
    }

    @model_validator(mode="after")
    def _key_value_heads_divide(self) -> Llama:
        if self.num_heads % self._key_value_heads:
            raise ValueError(
                f"num_key_value_heads ({self._key_value_heads}) does not divide num_heads ({self.num_heads})"
            )
        return self

    @property
    def _key_value_heads(self) -> int:
        return self.num_key_value_heads or self.num_heads

    @property
    def _feed_forward(self) -> int:
        return self.intermediate_size or 64 * -(-8 * self.hidden_size // (3 * 64))

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> LlamaConfig:
        from transformers import LlamaConfig

        return LlamaConfig(
            vocab_size=vocabulary.size,
            hidden_size=self.hidden_size,
            intermediate_size=self._feed_forward,
            num_hidden_layers=self.num_layers,
            num_attention_heads=self.num_heads,
            num_key_value_heads=self._key_value_heads,
            max_position_embeddings=sequence_length,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_theta},
            attention_dropout=self.dropout,
            tie_word_embeddings=self.is_tied,
            bos_token_id=vocabulary.eos_token_id,
            eos_token_id=vocabulary.eos_token_id,
            pad_token_id=vocabulary.pad_token_id,
        )

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        del head, sequence_length  # rotary positions have no parameters
        embedding = 0 if self.is_tied else vocab_size * self.hidden_size
        return self.matrix_parameters(vocab_size) + embedding + self.hidden_size * (2 * self.num_layers + 1)

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        per_layer = 18 * self.hidden_size + 8 * self._feed_forward + 5 * self.num_heads * sequence_length
        return 2 * self.num_layers * per_layer

    def matrix_parameters(self, vocab_size: int) -> int:
        grouped = self.hidden_size * self._key_value_heads // self.num_heads
        attention = 2 * self.hidden_size * (self.hidden_size + grouped)
        feed_forward = 3 * self.hidden_size * self._feed_forward
        return self.num_layers * (attention + feed_forward) + vocab_size * self.hidden_size
