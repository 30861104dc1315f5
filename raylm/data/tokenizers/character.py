"""One token a character: small vocabularies, no training to speak of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from raylm.data.tokenizers import END_OF_TEXT, UNKNOWN, Tokenizer, TrainedTokenizer


class Character(Tokenizer):
    """Every character of the training text is a token; others become <unk>."""

    kind: Literal["character"] = "character"

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import AddedToken, decoders, models
        from tokenizers import Tokenizer as Model

        characters: set[str] = set()
        for text in texts:
            characters.update(text)
        vocab = {token: number for number, token in enumerate([*sorted(characters), UNKNOWN, END_OF_TEXT])}
        # Pair merging with no merges leaves single characters, four times as fast as splitting by a pattern.
        model = Model(models.BPE(vocab, [], unk_token=UNKNOWN))
        model.decoder = decoders.Fuse()
        model.add_special_tokens([AddedToken(token, special=True) for token in (UNKNOWN, END_OF_TEXT)])
        return TrainedTokenizer(model)

    def notes(self, trained: TrainedTokenizer) -> tuple[str, ...]:
        del trained
        return ()
