"""Pair encoding of bytes (Sennrich et al. 2016, Radford et al. 2019): any text, nothing unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from raylm.data.rare_words import without_rare_words
from raylm.data.tokenizers import SizedTokenizer, TrainedTokenizer


class ByteBpe(SizedTokenizer):
    """Frequent runs of bytes are tokens, learned from the training text."""

    kind: Literal["byte_bpe"] = "byte_bpe"

    has_unknown: ClassVar[bool] = False
    num_bytes: ClassVar[int] = 256

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import Tokenizer as Model
        from tokenizers import decoders, models, pre_tokenizers, trainers

        special = self.special()
        model = Model(models.BPE())
        model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=2,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=list(special.names),
            show_progress=False,
        )
        model.train_from_iterator(without_rare_words(texts), trainer)
        return TrainedTokenizer.of(model, special)
