"""BERT: both sides of a token at once, LayerNorm last, GELU (Devlin et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.models import Encoder, Vocabulary

if TYPE_CHECKING:
    from transformers import BertConfig


class Bert(Encoder):
    """A BERT of any size; the defaults are the base model's shape."""

    kind: Literal["bert"] = "bert"

    heads: ClassVar = {
        "masked": "BertForMaskedLM",
        "pretraining": "BertForPreTraining",
        "sequence_classification": "BertForSequenceClassification",
        "token_classification": "BertForTokenClassification",
        "question_answering": "BertForQuestionAnswering",
    }
    tokenizer: ClassVar = {"kind": "wordpiece", "special_tokens": "bert"}
    num_token_types: ClassVar = 2

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> BertConfig:
        from transformers import BertConfig

        return BertConfig(**self.settings(vocabulary, sequence_length))
