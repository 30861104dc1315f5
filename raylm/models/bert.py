"""BERT: both sides of a token at once, LayerNorm last, GELU (Devlin et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.config.sections import knob
from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import BertConfig


class Bert(Transformer):
    """A BERT of any size; the defaults are the base model's shape."""

    kind: Literal["bert"] = "bert"
    initializer_range: float = knob(0.02, gt=0, le=1, advanced=True)
    """Standard deviation of fresh weights."""

    heads: ClassVar = {"masked": "BertForMaskedLM", "pretraining": "BertForPreTraining"}
    tokenizer: ClassVar = {"kind": "wordpiece", "special_tokens": "bert"}

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> BertConfig:
        from transformers import BertConfig

        return BertConfig(
            vocab_size=vocabulary.size,
            max_position_embeddings=sequence_length,
            hidden_size=self.hidden_size,
            intermediate_size=4 * self.hidden_size,
            num_hidden_layers=self.num_layers,
            num_attention_heads=self.num_heads,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            initializer_range=self.initializer_range,
            pad_token_id=vocabulary.pad_token_id,
            eos_token_id=vocabulary.eos_token_id,
            bos_token_id=vocabulary.bos_token_id,
        )

    def num_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        width = self.hidden_size
        embeddings = (sequence_length + 2 + 2) * width  # positions, token types, LayerNorm
        norms_and_biases = 13 * self.num_layers * width + 3 * width + vocab_size
        pair = width**2 + width + 2 * width + 2 if head == "pretraining" else 0
        return self._matrix_parameters(vocab_size) + embeddings + norms_and_biases + pair

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        attention = 12 * self.num_layers * self.hidden_size * sequence_length
        return 6 * self._matrix_parameters(vocab_size) + attention

    def _matrix_parameters(self, vocab_size: int) -> int:
        """Return the weights of products: the blocks, the head's own layer and its output."""
        return (12 * self.num_layers + 1) * self.hidden_size**2 + vocab_size * self.hidden_size
