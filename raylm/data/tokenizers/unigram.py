"""A unigram model over pieces (Kudo 2018), of bytes, so that every text comes back and nothing is unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.data.rare_words import without_rare_words
from raylm.data.tokenizers import SizedTokenizer, TrainedTokenizer

# Training sums floats in an order that changes from one process to the next; the sums differ by 1e-11.
_DIGITS = 3
# Bytes that no word needs get the lowest score of all, each 1e-4 above the one before, in no fixed order.
_SPREAD = 256 * 1e-4 + 10**-_DIGITS


class Unigram(SizedTokenizer):
    """Pieces with a probability each; a text becomes the most likely ones that make it up."""

    kind: Literal["unigram"] = "unigram"
    max_piece_length: int = knob(16, unit="bytes", ge=1, le=256, advanced=True)
    """The longest piece."""

    has_unknown: ClassVar[bool] = False
    num_bytes: ClassVar[int] = 256

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        from tokenizers import Tokenizer as Model
        from tokenizers import decoders, models, pre_tokenizers, trainers

        special = self.special()
        model = Model(models.Unigram())
        model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = decoders.ByteLevel()
        # The special tokens come after the pieces: among them, the text "<s>" would be the token <s>.
        trainer = trainers.UnigramTrainer(
            vocab_size=self.vocab_size - len(special.names),
            max_piece_length=self.max_piece_length,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        model.train_from_iterator(without_rare_words(texts), trainer)
        values = json.loads(model.to_str())
        values["model"]["vocab"] = _settled(values["model"]["vocab"], self.vocab_size - len(special.names))
        return TrainedTokenizer.of(Model.from_str(json.dumps(values)), special)


def _settled(vocab: list[list[Any]], size: int) -> list[list[Any]]:
    """Return pieces and scores that are the same in every process, likely ones first, at most `size`."""
    lowest = min(score for _, score in vocab)
    scores = {
        piece: round(lowest if len(piece) == 1 and score < lowest + _SPREAD else score, _DIGITS)
        for piece, score in vocab
    }
    # Every byte stays; of the longer pieces, the trainer may return a few too many.
    likely = sorted(scores, key=lambda piece: (len(piece) > 1, -scores[piece], piece))[:size]
    return sorted(([piece, scores[piece]] for piece in likely), key=lambda one: (-one[1], one[0]))
