"""XLNet: two-stream attention with relative positions, LayerNorm last (Yang et al. 2019, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.models import Transformer, Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel, XLNetConfig


class XLNet(Transformer):
    """An XLNet of any size, without memory of earlier segments; the defaults are the base model's shape."""

    kind: Literal["xlnet"] = "xlnet"
    initializer_range: float = knob(0.02, gt=0, le=1, advanced=True)
    """Standard deviation of fresh weights."""

    heads: ClassVar = {
        "permutation": "XLNetLMHeadModel",
        "sequence_classification": "XLNetForSequenceClassification",
        "token_classification": "XLNetForTokenClassification",
        "question_answering": "XLNetForQuestionAnsweringSimple",
    }
    tokenizer: ClassVar = {"kind": "unigram", "special_tokens": "xlnet"}

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> XLNetConfig:
        from transformers import XLNetConfig

        del sequence_length  # positions are relative
        return XLNetConfig(
            vocab_size=vocabulary.size,
            d_model=self.hidden_size,
            n_layer=self.num_layers,
            n_head=self.num_heads,
            d_inner=4 * self.hidden_size,
            dropout=self.dropout,
            summary_last_dropout=self.dropout,
            initializer_range=self.initializer_range,
            pad_token_id=vocabulary.pad_token_id,
            bos_token_id=vocabulary.bos_token_id,
            eos_token_id=vocabulary.eos_token_id,
        )

    def build_on(self, *arguments: Any, **options: Any) -> tuple[PreTrainedModel, Sequence[str]]:
        from raylm.kernels.relative_positions import fit_for_training

        model, fresh = super().build_on(*arguments, **options)
        fit_for_training(model)
        return model, fresh

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        del sequence_length, head
        others = (14 * self.num_layers + 1) * self.hidden_size + vocab_size
        return self.matrix_parameters(vocab_size) + others

    def matrix_parameters(self, vocab_size: int) -> int:
        return 13 * self.num_layers * self.hidden_size**2 + vocab_size * self.hidden_size

    def body_flops_per_token(self, sequence_length: int) -> float:
        """Return FLOPs of forward and backward for one token of a full sequence, without the output layer.

        Beside the products that every family has, each layer attends to positions as well as to contents.
        What is projected once a batch, the positions, is not counted, nor is the query stream of the
        permutation objective, which reads the tokens that are predicted, a sixth of a row.
        """
        width, layers = self.hidden_size, self.num_layers
        return 72 * layers * width**2 + 24 * layers * width * sequence_length

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        return 5 * super().activation_bytes_per_token(sequence_length) // 2
