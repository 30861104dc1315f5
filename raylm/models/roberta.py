"""RoBERTa: BERT's architecture, without token types (Liu et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.config.sections import knob
from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import RobertaConfig


class Roberta(Transformer):
    """A RoBERTa of any size; the defaults are the base model's shape."""

    kind: Literal["roberta"] = "roberta"
    initializer_range: float = knob(0.02, gt=0, le=1, advanced=True)
    """Standard deviation of fresh weights."""

    heads: ClassVar = {"masked": "RobertaForMaskedLM"}
    tokenizer: ClassVar = {"kind": "byte_bpe", "special_tokens": "roberta"}

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> RobertaConfig:
        from transformers import RobertaConfig

        return RobertaConfig(
            vocab_size=vocabulary.size,
            max_position_embeddings=self._num_positions(vocabulary.pad_token_id, sequence_length),
            type_vocab_size=1,
            hidden_size=self.hidden_size,
            intermediate_size=4 * self.hidden_size,
            num_hidden_layers=self.num_layers,
            num_attention_heads=self.num_heads,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            initializer_range=self.initializer_range,
            layer_norm_eps=1e-5,
            pad_token_id=vocabulary.pad_token_id,
            eos_token_id=vocabulary.eos_token_id,
            bos_token_id=vocabulary.bos_token_id,
        )

    def num_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        del head
        width = self.hidden_size
        embeddings = (self._num_positions(1, sequence_length) + 1 + 2) * width  # positions, type, LayerNorm
        norms_and_biases = 13 * self.num_layers * width + 3 * width + vocab_size
        return self._matrix_parameters(vocab_size) + embeddings + norms_and_biases

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        attention = 12 * self.num_layers * self.hidden_size * sequence_length
        return 6 * self._matrix_parameters(vocab_size) + attention

    @staticmethod
    def _num_positions(pad_token_id: int | None, sequence_length: int) -> int:
        """Return the positions: they are counted from behind the padding's id, which is 1 in this family."""
        return sequence_length + (1 if pad_token_id is None else pad_token_id) + 1

    def _matrix_parameters(self, vocab_size: int) -> int:
        """Return the weights of products: the blocks, the head's own layer and its output."""
        return (12 * self.num_layers + 1) * self.hidden_size**2 + vocab_size * self.hidden_size
