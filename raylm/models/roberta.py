"""RoBERTa: BERT's architecture, without token types (Liu et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.models import Encoder, Vocabulary

if TYPE_CHECKING:
    from transformers import RobertaConfig


class Roberta(Encoder):
    """A RoBERTa of any size; the defaults are the base model's shape."""

    kind: Literal["roberta"] = "roberta"

    heads: ClassVar = {
        "masked": "RobertaForMaskedLM",
        "sequence_classification": "RobertaForSequenceClassification",
        "token_classification": "RobertaForTokenClassification",
        "question_answering": "RobertaForQuestionAnswering",
    }
    tokenizer: ClassVar = {"kind": "byte_bpe", "special_tokens": "roberta"}
    num_token_types: ClassVar = 1

    def num_positions(self, sequence_length: int, pad_token_id: int | None) -> int:
        """Return the positions: they are counted from behind the padding's id, which is 1 in this family."""
        return sequence_length + (1 if pad_token_id is None else pad_token_id) + 1

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> RobertaConfig:
        from transformers import RobertaConfig

        return RobertaConfig(**self.settings(vocabulary, sequence_length), layer_norm_eps=1e-5)
