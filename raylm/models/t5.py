"""T5: encoder and decoder with relative positions, RMSNorm first, ReLU (Raffel et al. 2020, section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import T5Config

_BUCKETS = 32  # of relative positions


class T5(Transformer):
    """A T5 of any size, as many layers in the decoder as in the encoder; the defaults are the base shape."""

    kind: Literal["t5"] = "t5"

    heads: ClassVar = {
        "seq2seq": "T5ForConditionalGeneration",
        "sequence_classification": "T5ForSequenceClassification",
        "token_classification": "T5ForTokenClassification",
        "question_answering": "T5ForQuestionAnswering",
    }
    tokenizer: ClassVar = {"kind": "unigram", "special_tokens": "t5"}
    reads: ClassVar = 1.25

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> T5Config:
        from transformers import T5Config

        del sequence_length  # positions are relative
        more: Any = {"tie_word_embeddings": True, "decoder_start_token_id": vocabulary.pad_token_id}
        return T5Config(
            vocab_size=vocabulary.size,
            d_model=self.hidden_size,
            d_kv=self.hidden_size // self.num_heads,
            d_ff=4 * self.hidden_size,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            relative_attention_num_buckets=_BUCKETS,
            dropout_rate=self.dropout,
            feed_forward_proj="relu",
            pad_token_id=vocabulary.pad_token_id,
            eos_token_id=vocabulary.eos_token_id,
            **more,
        )

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        del sequence_length, head
        norms = (5 * self.num_layers + 2) * self.hidden_size
        return self.matrix_parameters(vocab_size) + norms + 2 * _BUCKETS * self.num_heads

    def matrix_parameters(self, vocab_size: int) -> int:
        return 28 * self.num_layers * self.hidden_size**2 + vocab_size * self.hidden_size

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        """Return FLOPs of forward and backward for one of the tokens that encoder and decoder read.

        The decoder is taken to read a quarter as many tokens as the encoder, about what the spans of span
        corruption come to, and predicts each. Its attention to the encoder counts as any attention does.
        """
        decoded = sequence_length // 4 / (sequence_length + sequence_length // 4)
        return self.body_flops_per_token(sequence_length) + decoded * self.head_flops_per_token(vocab_size)

    def body_flops_per_token(self, sequence_length: int) -> float:
        width, layers, length = self.hidden_size, self.num_layers, sequence_length
        decoded = length // 4
        # The decoder's keys and values of the encoder's tokens are products of the encoder's length.
        encoder = length * (6 * 14 * layers * width**2 + 12 * layers * width * length)
        decoder = decoded * (6 * 14 * layers * width**2 + 12 * layers * width * (decoded + length))
        return (encoder + decoder) / (length + decoded)

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        return 3 * super().activation_bytes_per_token(sequence_length) // 2
