"""A tokenizer that was trained elsewhere, such as a published model's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from raylm.config.errors import BadInput
from raylm.data.tokenizer_files import CHAT_TEMPLATE, model_file, read_bytes, read_tokenizer
from raylm.data.tokenizers import Tokenizer
from raylm.data.trained_tokenizer import CONFIG_FILE, TrainedTokenizer

_FIELD = "tokenizer.path"
_RARE = "\U0010fffd\u2603a \n"  # a private character, which no vocabulary has


class Pretrained(Tokenizer):
    """The tokenizer in a folder; nothing is learned."""

    kind: Literal["pretrained"] = "pretrained"
    path: str
    """A folder with tokenizer.json and tokenizer_config.json, such a file, or a model's name on the hub."""

    reads_texts: ClassVar[bool] = False
    is_lossless: ClassVar[bool] = False

    def settings(self) -> dict[str, Any]:
        file = model_file(self.path)
        config, template = file.with_name(CONFIG_FILE), file.with_name(CHAT_TEMPLATE)
        parts = [read_bytes(file, _FIELD), read_bytes(config, _FIELD) if config.exists() else b""]
        if template.exists():
            parts.append(read_bytes(template, _FIELD))
        digests = [hashlib.sha256(part).hexdigest() for part in parts]
        return {"kind": self.kind, "sha256": digests}

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        """Return the tokenizer of the folder; the texts are not looked at.

        Raises:
            BadInput: there is none, or it lacks what training needs.
        """
        del texts
        trained = read_tokenizer(self.path, _FIELD)
        config = model_file(self.path).with_name(CONFIG_FILE)
        if trained.id_of("eos_token") is None and trained.id_of("sep_token") is None:
            message = f"{config} names no token that ends a text"
            raise BadInput.one(_FIELD, message, "give it an eos_token", code="no-end-of-text")
        try:
            trained.encode(_RARE)
        except Exception as error:  # noqa: BLE001 - the library raises this class
            message = f"{self.path} has no unknown token: {error}"
            mend = "add one to its tokenizer.json; a text with a new character cannot be encoded without"
            raise BadInput.one(_FIELD, message, mend, code="no-unknown") from None
        return trained
