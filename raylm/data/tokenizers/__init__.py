"""What a tokenizer is; every other file here is one kind, trained on the corpus and stored with the data."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from raylm.config.choice import Choice

if TYPE_CHECKING:
    import tokenizers

END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<unk>"


class TrainedTokenizer:
    """Text to ids and back; `decode(encode(text)) == text` for every text over the vocabulary."""

    def __init__(self, model: tokenizers.Tokenizer) -> None:
        # A corpus that happens to hold "<|endoftext|>" must not end its documents there.
        model.encode_special_tokens = True
        self._model = model

    @classmethod
    def load(cls, folder: Path) -> TrainedTokenizer:
        """Read what `save` wrote."""
        import tokenizers

        return cls(tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")))

    @property
    def vocab_size(self) -> int:
        """Ids, special ones included."""
        return self._model.get_vocab_size()

    @property
    def eos_token_id(self) -> int:
        """The id that follows each document."""
        number = self._model.token_to_id(END_OF_TEXT)
        assert number is not None, f"every tokenizer has {END_OF_TEXT}"
        return number

    @property
    def unk_token_id(self) -> int | None:
        """The id of what is not in the vocabulary; None where everything is."""
        return self._model.token_to_id(UNKNOWN)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; nothing is added to it."""
        return self._model.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return the ids of each text, computed on all cores."""
        encodings = self._model.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

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
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
        }
        if self.unk_token_id is not None:
            config["unk_token"] = UNKNOWN
        return {
            "tokenizer.json": self._model.to_str(pretty=True).encode(),
            "tokenizer_config.json": json.dumps(config, indent=2).encode() + b"\n",
        }


class Tokenizer(Choice):
    """How text becomes token ids."""

    @abstractmethod
    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        """Learn the vocabulary from texts; the same texts give the same ids."""

    @abstractmethod
    def notes(self, trained: TrainedTokenizer) -> tuple[str, ...]:
        """Return what a person should know about the result, such as a vocabulary smaller than asked."""
