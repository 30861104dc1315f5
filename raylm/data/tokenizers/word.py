"""One token a word: what language models were made of before pieces of words were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.tokenizers import LearnedTokenizer, TrainedTokenizer

# A word with the blank before it, a sign with the blank before it, or white space: together the whole text.
# The blank belongs to the word that follows, so that no token joins a word to what comes after it.
_PATTERN = r" ?\w+(?:['\x{2019}]\w+)*| ?[^\w\s]|\s+(?!\S)|\s"


class Word(LearnedTokenizer):
    """Every word and every sign of the training text is a token; others are unknown."""

    kind: Literal["word"] = "word"
    vocab_size: int | None = knob(None, unit="tokens", ge=1, le=2**24)
    """The most tokens, special ones included: the frequent words stay; unset: all of them."""
    min_frequency: int = knob(1, unit="occurrences", ge=1, le=10**9, advanced=True)
    """How often a word must come in the training text to have a token."""

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
        from tokenizers import Tokenizer as Model

        special = self.special()
        self._refuse_too_small(len(special.names))
        model = Model(models.WordLevel(unk_token=special.roles["unk_token"]))
        model.pre_tokenizer = pre_tokenizers.Split(Regex(_PATTERN), "isolated")
        model.decoder = decoders.Fuse()
        trainer = trainers.WordLevelTrainer(
            vocab_size=self.vocab_size or 2**31,
            min_frequency=self.min_frequency,
            special_tokens=list(special.names),
            show_progress=False,
        )
        model.train_from_iterator(texts, trainer)
        return TrainedTokenizer.of(model, special)

    def _refuse_too_small(self, num_special: int) -> None:
        if self.vocab_size is not None and self.vocab_size <= num_special:
            message = f"{self.vocab_size} leaves no word beside the {num_special} special tokens"
            raise BadInput.one("tokenizer.vocab_size", message, "try 30000", code="vocab-size")
