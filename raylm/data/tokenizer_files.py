"""Tokenizers as they lie in folders: ones that raylm trained, and ones from elsewhere."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raylm.config.errors import BadInput
from raylm.data.trained_tokenizer import CONFIG_FILE, MODEL_FILE, TrainedTokenizer
from raylm.runs.folder import Folder
from raylm.runs.local_copy import local_copy

if TYPE_CHECKING:
    import tokenizers


CHAT_TEMPLATE = "chat_template.jinja"
"""Where newer models keep how conversations are written."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def model_file(path: str | Path) -> Path:
    """Return the tokenizer.json that a path names: itself, one in that folder, or of that name on the hub."""
    if _HUB_NAME.fullmatch(str(path)) and not Path(path).exists():
        return _fetched(str(path))
    path = Path(local_copy(str(path)) if "://" in str(path) else path).expanduser()
    return path / MODEL_FILE if path.is_dir() else path


def _fetched(name: str) -> Path:
    """Return a copy of the tokenizer.json of a model on the hub, what belongs to it beside it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        hf_hub_download(name, CONFIG_FILE)
        with contextlib.suppress(EntryNotFoundError):  # most models have none
            hf_hub_download(name, CHAT_TEMPLATE)
        return Path(hf_hub_download(name, MODEL_FILE))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        mend = "name a folder with a tokenizer.json, or a model on the hub that can be reached"
        message = f"{name} cannot be loaded: {reason}"
        raise BadInput.one("tokenizer.path", message, mend, code="missing") from None


def read_tokenizer(path: str | Path, field: str) -> TrainedTokenizer:
    """Return the tokenizer in a folder.

    Args:
        path: The folder, or a tokenizer.json; tokenizer_config.json beside it names the special tokens.
        field: What an error is about.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    file = model_file(path)
    config = file.with_name(CONFIG_FILE)
    values = _config(config, field) if config.exists() else {}
    template = file.with_name(CHAT_TEMPLATE)
    if template.exists():
        values = {**values, "chat_template": read_bytes(template, field).decode()}
    return TrainedTokenizer(_model(file, field), values)


def tokenizer_in(folder: Folder, field: str) -> TrainedTokenizer:
    """Return the tokenizer of a folder that may be on another machine.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    with tempfile.TemporaryDirectory() as copy:
        for name in folder.names():
            (Path(copy) / name).write_bytes(folder.read(name))
        return read_tokenizer(copy, field)


def read_bytes(file: Path, field: str) -> bytes:
    """Return the bytes of a tokenizer's file.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        mend = "name a folder with a tokenizer.json, such as one that raylm tokenizer train wrote"
        raise BadInput.one(field, f"{file} cannot be read: {error.strerror}", mend, code="missing") from None


def _model(file: Path, field: str) -> tokenizers.Tokenizer:
    import tokenizers

    data = read_bytes(file, field)
    try:
        model = tokenizers.Tokenizer.from_buffer(data)
    except Exception as error:  # noqa: BLE001 - the library raises this class
        raise BadInput.one(field, f"{file} is no tokenizer: {error}", code="damaged") from None
    # Rows are cut and filled by the objective; a limit in here would lose text.
    model.no_truncation()
    model.no_padding()
    return model


def _config(file: Path, field: str) -> Mapping[str, Any]:
    try:
        values = json.loads(read_bytes(file, field))
    except ValueError as error:
        raise BadInput.one(field, f"{file} is no JSON: {error}", code="damaged") from None
    if not isinstance(values, dict):
        raise BadInput.one(field, f"{file} holds no JSON object", code="damaged")
    return values
