"""What a tokenizer is; every other file here is one kind, trained on the corpus and stored with the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator

from raylm.config.choice import Choice
from raylm.config.sections import knob
from raylm.config.vocabulary import Vocabulary
from raylm.data.special_tokens import END_OF_TEXT, Family, SpecialTokens, special_tokens
from raylm.data.trained_tokenizer import TrainedTokenizer

__all__ = ["END_OF_TEXT", "LearnedTokenizer", "SizedTokenizer", "Tokenizer", "TrainedTokenizer"]


class Tokenizer(Choice):
    """How text becomes token ids."""

    reads_texts: ClassVar[bool] = True
    """Whether `train` learns from the texts; False for one that is trained already."""
    is_lossless: ClassVar[bool] = True
    """Whether `decode(encode(text)) == text` for every text without an unknown token."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the ids besides the texts: the fields, and digests of files that are read."""
        return self.model_dump(mode="json") | self.plugin()

    @abstractmethod
    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        """Learn the vocabulary from texts, one pass over them; the same texts give the same ids.

        Raises:
            BadInput: the texts and the fields do not go together.
        """

    def special_vocabulary(self) -> Vocabulary | None:
        """Return the special tokens as far as they are known before anything is read; their ids are not."""
        return None

    def notes(self, trained: TrainedTokenizer) -> tuple[str, ...]:
        """Return what a person should know about the result, such as a vocabulary smaller than asked."""
        del trained
        return ()


class LearnedTokenizer(Tokenizer):
    """What the kinds share that learn their vocabulary."""

    special_tokens: Family = "gpt"
    """The family of models whose special tokens the vocabulary has: gpt (end of text only), bert, roberta, t5
    (with 100 sentinels) or xlnet."""

    has_unknown: ClassVar[bool] = True
    """Whether a text may hold what the vocabulary does not."""

    def special(self) -> SpecialTokens:
        """Return the special tokens."""
        return special_tokens(self.special_tokens, has_unknown=self.has_unknown)

    def special_vocabulary(self) -> Vocabulary:
        return self.special().vocabulary()


class SizedTokenizer(LearnedTokenizer):
    """What the kinds share whose vocabulary has a size that is asked for."""

    vocab_size: int = knob(8192, unit="tokens", le=2**20)
    """Tokens in the vocabulary, special ones included; a small corpus may give fewer."""

    num_bytes: ClassVar[int] = 0
    """Bytes that the vocabulary always holds."""

    @field_validator("vocab_size")
    @classmethod
    def _holds_the_least(cls, vocab_size: int, info: ValidationInfo) -> int:
        family = info.data.get("special_tokens", "gpt")
        names = special_tokens(family, has_unknown=cls.has_unknown).names
        if vocab_size < cls.num_bytes + len(names):
            bytes_ = f"{cls.num_bytes} bytes and " if cls.num_bytes else ""
            listed = ", ".join(names) if len(names) < 10 else f"{len(names)} special tokens"  # noqa: PLR2004 - a line's worth
            raise ValueError(
                f"{vocab_size} is below the {cls.num_bytes + len(names)} tokens that any text needs "
                f"({bytes_}{listed}); try 4096"
            )
        return vocab_size

    def notes(self, trained: TrainedTokenizer) -> tuple[str, ...]:
        if trained.vocab_size >= self.vocab_size:
            return ()
        asked, got = self.vocab_size, trained.vocab_size
        return (f"tokenizer.vocab_size: asked {asked}, the corpus gives {got}; the model uses {got}",)
