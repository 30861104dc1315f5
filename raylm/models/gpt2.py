"""GPT-2: learned positions, LayerNorm first, GELU (Radford et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import GPT2Config


class GPT2(Transformer):
    """A GPT-2 of any size; the defaults are the 124M model's shape."""

    kind: Literal["gpt2"] = "gpt2"

    heads: ClassVar = {
        "causal": "GPT2LMHeadModel",
        "sequence_classification": "GPT2ForSequenceClassification",
        "token_classification": "GPT2ForTokenClassification",
        "question_answering": "GPT2ForQuestionAnswering",
    }

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

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        del head
        return self.matrix_parameters(vocab_size) + self.hidden_size * (
            sequence_length + 13 * self.num_layers + 2
        )

    def matrix_parameters(self, vocab_size: int) -> int:
        return 12 * self.num_layers * self.hidden_size**2 + vocab_size * self.hidden_size
