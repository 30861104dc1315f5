"""WordPiece (Schuster and Nakajima 2012, Devlin et al. 2019): pieces of words, as BERT reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.characters import CharacterCounts
from raylm.data.rare_words import without_rare_words
from raylm.data.special_tokens import Family
from raylm.data.tokenizers import SizedTokenizer, TrainedTokenizer

if TYPE_CHECKING:
    import tokenizers

_START = "\ue000"  # marks the start of a word while pairs are merged: a private character, in no text
_INSIDE = "##"
# Merges beyond the vocabulary, in place of those that mark a start or hold a rare character.
_SPARE = 8192


class WordPiece(SizedTokenizer):
    """Words are cut into the longest known pieces; case is kept, white space is not."""

    kind: Literal["wordpiece"] = "wordpiece"
    special_tokens: Family = "bert"
    """The family of models whose special tokens the vocabulary has."""
    max_characters: int = knob(1000, unit="characters", ge=1, le=2**20, advanced=True)
    """The frequent characters that are known; a word with another one is unknown."""

    is_lossless: ClassVar[bool] = False

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import Tokenizer as Model
        from tokenizers import decoders, models

        # The library's own trainer for WordPiece numbers pieces in an order that changes from one process to
        # the next. Pairs merged with the start of a word marked give the same pieces, in one order.
        counts = CharacterCounts()
        merged = _merged(without_rare_words(counts.watch(texts)), self.vocab_size + _SPARE)
        vocab = self._vocab(merged, counts)
        special = self.special()
        model = Model(models.WordPiece(vocab, unk_token=special.roles["unk_token"]))
        model.normalizer, model.pre_tokenizer = merged.normalizer, _words()
        model.decoder = decoders.WordPiece(prefix=_INSIDE, cleanup=False)
        return TrainedTokenizer.of(model, special)

    def _vocab(self, merged: tokenizers.Tokenizer, counts: CharacterCounts) -> dict[str, int]:
        """Return special tokens, characters that start a word, those inside one, then pieces as learned."""
        pieces = sorted(merged.get_vocab().items(), key=lambda one: one[1])
        known = {piece for piece, _ in pieces if len(piece) == 1} - {_START}
        characters = set(sorted(known, key=lambda each: (-counts[each], each))[: self.max_characters])
        first = [*self.special().names, *sorted(characters), *_inside(characters)]
        self._refuse_too_small(len(first), len(characters))
        longer = [
            piece.removeprefix(_START) if piece.startswith(_START) else _INSIDE + piece
            for piece, _ in pieces
            if len(piece.removeprefix(_START)) > 1 and characters.issuperset(piece.removeprefix(_START))
        ]
        return {piece: number for number, piece in enumerate([*first, *longer][: self.vocab_size])}

    def _refuse_too_small(self, needed: int, num_characters: int) -> None:
        if self.vocab_size < needed:
            message = (
                f"{self.vocab_size} is below the {needed} tokens that the {num_characters} characters of the "
                f"corpus need, at the start and inside of words, with the special ones"
            )
            mend = f"try {max(4096, 2 * needed)}, or lower tokenizer.max_characters"
            raise BadInput.one("tokenizer.vocab_size", message, mend, code="vocab-size")


def _words() -> tokenizers.pre_tokenizers.PreTokenizer:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.BertPreTokenizer()


def _merged(texts: Iterator[str], size: int) -> tokenizers.Tokenizer:
    from tokenizers import Tokenizer as Model
    from tokenizers import models, normalizers, pre_tokenizers, trainers

    model = Model(models.BPE())
    model.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    marked = pre_tokenizers.Metaspace(replacement=_START, prepend_scheme="always")
    model.pre_tokenizer = pre_tokenizers.Sequence([_words(), marked])
    model.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, min_frequency=2, show_progress=False)
    )
    return model


def _inside(characters: set[str]) -> list[str]:
    """Return the pieces for a character inside a word; signs always stand alone."""
    words = _words()
    return [_INSIDE + each for each in sorted(characters) if len(words.pre_tokenize_str(f"a{each}")) == 1]
