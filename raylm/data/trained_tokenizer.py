"""A tokenizer at work: text to ids and back, and the files it is kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.vocabulary import Vocabulary
from raylm.data.special_tokens import SENTINEL, SpecialTokens
from raylm.data.word_cache import WordCache, is_sole_thread, splits_words
from raylm.data.word_joints import word_joints

if TYPE_CHECKING:
    import tokenizers

MODEL_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"


ROLES = ("eos_token", "pad_token", "bos_token", "mask_token", "cls_token", "sep_token", "unk_token")


class Piece(NamedTuple):
    """A token of a text and the characters it stands for; those of one character may share it."""

    id: int
    token: str
    start: int
    stop: int


class TrainedTokenizer:
    """Text to ids and back; the names of special tokens, where a text holds them, are only text."""

    def __init__(self, model: tokenizers.Tokenizer, config: Mapping[str, Any]) -> None:
        # A corpus that happens to hold "<|endoftext|>" must not end its documents there.
        model.encode_special_tokens = True
        self._model = model
        self._config = config

    @classmethod
    def of(cls, model: tokenizers.Tokenizer, special: SpecialTokens) -> TrainedTokenizer:
        """Return a model with a family's special tokens; those it lacks are added after its own."""
        from tokenizers import AddedToken, processors

        model.add_special_tokens([AddedToken(name, special=True) for name in special.names])
        if around := special.around():
            ids = [(name, model.token_to_id(name)) for name in around]
            model.post_processor = processors.TemplateProcessing(
                single=special.single, pair=special.pair, special_tokens=ids
            )
        return cls(model, special.config())

    @classmethod
    def load(cls, folder: Path) -> TrainedTokenizer:
        """Read what `save` wrote."""
        import tokenizers

        model = tokenizers.Tokenizer.from_file(str(folder / MODEL_FILE))
        return cls(model, json.loads((folder / CONFIG_FILE).read_bytes()))

    @property
    def config(self) -> Mapping[str, Any]:
        """What `tokenizer_config.json` says: special tokens, and a template of chats where there is one."""
        return self._config

    @property
    def vocab_size(self) -> int:
        """Ids, special ones included."""
        return self._model.get_vocab_size()

    def id_of(self, role: str) -> int | None:
        """Return the id of a role such as "mask_token"; None where the tokenizer has no such token."""
        given = self._config.get(role)
        name = given.get("content") if isinstance(given, dict) else given
        return None if name is None else self._model.token_to_id(name)

    def token_of(self, number: int) -> str | None:
        """Return how the vocabulary spells an id; None where no token has it."""
        return self._model.id_to_token(number)

    @property
    def eos_token_id(self) -> int:
        """The id that follows each document."""
        found = self.id_of("eos_token")
        number = self.id_of("sep_token") if found is None else found
        assert number is not None, "every tokenizer has a token that ends a text"
        return number

    @property
    def unk_token_id(self) -> int | None:
        """The id of what is not in the vocabulary; None where everything is."""
        return self.id_of("unk_token")

    @property
    def bos_token_id(self) -> int | None:
        """The id that begins a text."""
        return self.id_of("bos_token")

    @property
    def pad_token_id(self) -> int | None:
        """The id that fills a row up."""
        return self.id_of("pad_token")

    @property
    def mask_token_id(self) -> int | None:
        """The id that hides a token from a model that is to guess it."""
        return self.id_of("mask_token")

    @property
    def cls_token_id(self) -> int | None:
        """The id whose output stands for the whole text."""
        return self.id_of("cls_token")

    @property
    def sep_token_id(self) -> int | None:
        """The id between two texts of one input."""
        return self.id_of("sep_token")

    def vocabulary(self) -> Vocabulary:
        """Return what models and objectives must know of it."""
        # In the tokenizer's own words the end of BERT's texts is a separator.
        roles = {f"{role}_id": self.id_of(role) for role in ROLES} | {"eos_token_id": self.eos_token_id}
        added = self._model.get_added_tokens_decoder()
        named = {SENTINEL.fullmatch(token.content): number for number, token in added.items()}
        sentinels = {int(found[1]): number for found, number in named.items() if found}
        joins_left, joins_right = word_joints(self._model)
        return Vocabulary(
            size=self.vocab_size,
            **roles,
            sentinel_ids=tuple(sentinels[number] for number in sorted(sentinels)),
            special_ids=tuple(sorted(number for number, token in added.items() if token.special)),
            joins_left=joins_left,
            joins_right=joins_right,
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; nothing is added to it."""
        return self._model.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[np.integer]]:
        """Return the ids of each text, computed on all cores; on a lone one words are looked up."""
        if self._words is not None:
            return [*self._words.encode(texts)]
        encodings = self._model.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

    @cached_property
    def _words(self) -> WordCache | None:
        is_faster = is_sole_thread() and splits_words(self._model)
        return WordCache(self._model) if is_faster else None

    def encoding(self, text: str, pair: str | None = None, *, is_whole: bool = False) -> tokenizers.Encoding:
        """Return a text, or two as one input, as the tokenizers library does: ids, offsets, sequence ids.

        With `is_whole` the special tokens stand around them that a model is used to.
        """
        return self._model.encode(text, pair, add_special_tokens=is_whole)

    def pieces(self, text: str) -> list[Piece]:
        """Return the tokens of a text and where they stand in it."""
        found = self.encoding(text)
        return [
            Piece(*one)
            for one in zip(found.ids, found.tokens, *zip(*found.offsets, strict=True), strict=True)
        ]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; special ones show as their names."""
        return self._model.decode(list(ids), skip_special_tokens=False)

    def save(self, folder: Path) -> None:
        """Write what `transformers.AutoTokenizer.from_pretrained(folder)` loads."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (folder / name).write_bytes(data)

    def files(self) -> dict[str, bytes]:
        """Return what `save` writes, by name; the same tokenizer gives the same bytes."""
        config = {
            **self._config,
            # Any other class might build its own model and disregard the one that is saved.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
        }
        return {
            MODEL_FILE: self._model.to_str(pretty=True).encode(),
            CONFIG_FILE: json.dumps(config, indent=2, ensure_ascii=False).encode() + b"\n",
        }
