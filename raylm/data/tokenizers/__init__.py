"""What a tokenizer is; every other file here is one kind, trained on the corpus and stored with the data."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_validator

from raylm.config.choice import Choice
from raylm.config.sections import knob
from raylm.data.special_tokens import END_OF_TEXT, UNKNOWN, Family, SpecialTokens, special_tokens

if TYPE_CHECKING:
    import tokenizers

__all__ = ["END_OF_TEXT", "UNKNOWN", "LearnedTokenizer", "SizedTokenizer", "Tokenizer", "TrainedTokenizer"]

MODEL_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"


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
    def vocab_size(self) -> int:
        """Ids, special ones included."""
        return self._model.get_vocab_size()

    def id_of(self, role: str) -> int | None:
        """Return the id of a role such as "mask_token"; None where the tokenizer has no such token."""
        given = self._config.get(role)
        name = given.get("content") if isinstance(given, dict) else given
        return None if name is None else self._model.token_to_id(name)

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

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; nothing is added to it."""
        return self._model.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return the ids of each text, computed on all cores."""
        encodings = self._model.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

    def pieces(self, text: str) -> list[Piece]:
        """Return the tokens of a text and where they stand in it."""
        found = self._model.encode(text, add_special_tokens=False)
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


class Tokenizer(Choice):
    """How text becomes token ids."""

    reads_texts: ClassVar[bool] = True
    """Whether `train` learns from the texts; False for one that is trained already."""
    is_lossless: ClassVar[bool] = True
    """Whether `decode(encode(text)) == text` for every text without an unknown token."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the ids besides the texts: the fields, and digests of files that are read."""
        return self.model_dump(mode="json")

    @abstractmethod
    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        """Learn the vocabulary from texts, one pass over them; the same texts give the same ids.

        Raises:
            BadInput: the texts and the fields do not go together.
        """

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
