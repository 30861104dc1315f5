"""GPT-2: learned positions, LayerNorm first, GELU (Radford et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from raylm.config.sections import knob
from raylm.models import ModelFamily, Vocabulary, heads_do_not_divide

if TYPE_CHECKING:
    from transformers import GPT2Config, GPT2LMHeadModel


class GPT2(ModelFamily):
    """A GPT-2 of any size; the defaults are the 124M model's shape."""

    kind: Literal["gpt2"] = "gpt2"
    num_layers: int = knob(12, ge=1, unit="layers")
    """Transformer blocks."""
    num_heads: int = knob(12, ge=1, unit="heads")
    """Attention heads; must divide the hidden size."""
    hidden_size: int = knob(768, ge=1, unit="features")
    """Width of the residual stream."""
    dropout: float = knob(0.0, ge=0, lt=1, advanced=True)
    """Share of activations dropped while training (embeddings, attention and residual branches)."""

    @model_validator(mode="after")
    def _heads_divide(self) -> GPT2:
        if self.hidden_size % self.num_heads:
            raise ValueError(heads_do_not_divide(self.hidden_size, self.num_heads))
        return self

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> GPT2Config:
        from transformers import GPT2Config

        return GPT2Config(
            vocab_size=vocabulary.size,
            n_positions=sequence_length,
            n_embd=self.hidden_size,
            n_layer=self.num_layers,
            n_head=self.num_heads,
            resid_pdrop=self.dropout,
            embd_pdrop=self.dropout,
            attn_pdrop=self.dropout,
            # The same function as GPT-2's "gelu_new", as one operator instead of six.
            activation_function="gelu_pytorch_tanh",
            bos_token_id=vocabulary.eos_token_id,
            eos_token_id=vocabulary.eos_token_id,
            pad_token_id=vocabulary.pad_token_id,
        )

    def build(self, vocabulary: Vocabulary, sequence_length: int) -> GPT2LMHeadModel:
        from transformers import GPT2LMHeadModel

        return GPT2LMHeadModel(self.config(vocabulary, sequence_length))

    def num_parameters(self, vocab_size: int, sequence_length: int) -> int:
        return self._matrix_parameters(vocab_size) + self.hidden_size * (
            sequence_length + 13 * self.num_layers + 2
        )

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        attention = 12 * self.num_layers * self.hidden_size * sequence_length
        return 6 * self._matrix_parameters(vocab_size) + attention

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        per_layer = 34 * self.hidden_size + 5 * self.num_heads * sequence_length
        return 2 * self.num_layers * per_layer

    def _matrix_parameters(self, vocab_size: int) -> int:
        return 12 * self.num_layers * self.hidden_size**2 + vocab_size * self.hidden_size
