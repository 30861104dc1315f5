"""Pair encoding of bytes (Sennrich et al. 2016, Radford et al. 2019): any text, nothing unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import field_validator

from raylm.config.sections import knob
from raylm.data.tokenizers import END_OF_TEXT, Tokenizer, TrainedTokenizer

_NUM_BYTES = 256
_SMALLEST = _NUM_BYTES + 1  # every byte and the end of a text


class ByteBpe(Tokenizer):
    """Frequent runs of bytes are tokens, learned from the training text."""

    kind: Literal["byte_bpe"] = "byte_bpe"
    vocab_size: int = knob(8192, unit="tokens", le=2**20)
    """Tokens in the vocabulary, end of text included; a small corpus may give fewer."""

    @field_validator("vocab_size")
    @classmethod
    def _holds_every_byte(cls, vocab_size: int) -> int:
        if vocab_size < _SMALLEST:
            raise ValueError(
                f"{vocab_size} is below the {_SMALLEST} tokens that any text needs "
                f"(256 bytes and {END_OF_TEXT}); try 4096"
            )
        return vocab_size

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import Tokenizer as Model
        from tokenizers import decoders, models, pre_tokenizers, trainers

        model = Model(models.BPE())
        model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=2,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=[END_OF_TEXT],
            show_progress=False,
        )
        model.train_from_iterator(texts, trainer)
        return TrainedTokenizer(model)

    def notes(self, trained: TrainedTokenizer) -> tuple[str, ...]:
        if trained.vocab_size == self.vocab_size:
            return ()
        asked, got = self.vocab_size, trained.vocab_size
        return (f"tokenizer.vocab_size: asked {asked}, the corpus gives {got}; the model uses {got}",)
