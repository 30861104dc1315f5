"""A tokenizer that was trained elsewhere, such as a published model's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.errors import BadInput
from raylm.data.tokenizers import CONFIG_FILE, MODEL_FILE, Tokenizer, TrainedTokenizer

if TYPE_CHECKING:
    import tokenizers

_FIELD = "tokenizer.path"
_RARE = "\U0010fffd\u2603a \n"  # a private character, which no vocabulary has


class Pretrained(Tokenizer):
    """The tokenizer in a folder; nothing is learned."""

    kind: Literal["pretrained"] = "pretrained"
    path: str
    """A folder with tokenizer.json and tokenizer_config.json, or such a tokenizer.json itself."""

    reads_texts: ClassVar[bool] = False
    is_lossless: ClassVar[bool] = False

    def settings(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        for file in (self._file(), self._file().with_name(CONFIG_FILE)):
            digest.update(_bytes(file) if file == self._file() or file.exists() else b"{}")
        return {"kind": self.kind, "sha256": digest.hexdigest()}

    def train(self, texts: Iterator[str]) -> TrainedTokenizer:
        """Return the tokenizer of the folder; the texts are not looked at.

        Raises:
            BadInput: there is none, or it lacks what training needs.
        """
        del texts
        model = _model(self._file())
        config_file = self._file().with_name(CONFIG_FILE)
        config = _config(config_file) if config_file.exists() else {}
        trained = TrainedTokenizer(model, config)
        if trained.id_of("eos_token") is None and trained.id_of("sep_token") is None:
            message = f"{config_file} names no token that ends a text"
            raise BadInput.one(_FIELD, message, "give it an eos_token", code="no-end-of-text")
        self._refuse_without_unknown(trained)
        return trained

    def _file(self) -> Path:
        path = Path(self.path).expanduser()
        return path / MODEL_FILE if path.is_dir() else path

    def _refuse_without_unknown(self, trained: TrainedTokenizer) -> None:
        try:
            trained.encode(_RARE)
        except Exception as error:  # noqa: BLE001 - the library raises this class
            message = f"{self._file()} cannot encode a character that is not in its vocabulary: {error}"
            raise BadInput.one(_FIELD, message, "add an unknown token to it", code="no-unknown") from None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        mend = "name a folder with a tokenizer.json, such as one that raylm tokenizer train wrote"
        raise BadInput.one(_FIELD, f"{file} cannot be read: {error.strerror}", mend, code="missing") from None


def _model(file: Path) -> tokenizers.Tokenizer:
    import tokenizers

    data = _bytes(file)
    try:
        model = tokenizers.Tokenizer.from_buffer(data)
    except Exception as error:  # noqa: BLE001 - the library raises this class
        raise BadInput.one(_FIELD, f"{file} is no tokenizer: {error}", code="damaged") from None
    # Rows are cut and filled by the objective; a limit in here would lose text.
    model.no_truncation()
    model.no_padding()
    return model


def _config(file: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(_bytes(file))
    except ValueError as error:
        raise BadInput.one(_FIELD, f"{file} is no JSON: {error}", code="damaged") from None
    if not isinstance(values, dict):
        raise BadInput.one(_FIELD, f"{file} holds no JSON object", code="damaged")
    return values
