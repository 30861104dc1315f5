"""What a token of a vocabulary looks like to a person: the text that it stands for, or its bytes."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from raylm.data.trained_tokenizer import MODEL_FILE, TrainedTokenizer

_FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")
_METASPACE = "\N{LOWER ONE EIGHTH BLOCK}"


class Look(NamedTuple):
    """A token as it is shown."""

    id: int
    token: str
    """As the vocabulary spells it."""
    text: str
    """What it stands for; nothing where it is a part of a character."""
    bytes: str
    """Of a part of a character, in hexadecimal: "F0 9F"."""
    is_special: bool
    is_unknown: bool


class TokenLooks:
    """The looks of one tokenizer's tokens."""

    def __init__(self, trained: TrainedTokenizer) -> None:
        self.trained = trained
        model = json.loads(trained.files()[MODEL_FILE])
        decoder = json.dumps(model.get("decoder"))
        self._is_of_bytes = '"ByteLevel"' in decoder
        self._has_fallback = '"ByteFallback"' in decoder
        self._is_of_blanks = _METASPACE in decoder or '"Metaspace"' in decoder
        self._added: dict[int, dict[str, Any]] = {one["id"]: one for one in model["added_tokens"]}

    def of(self, number: int) -> Look | None:
        """Return the look of an id; None where no token has it."""
        token = self.trained.token_of(number)
        if token is None:
            return None
        added = self._added.get(number)
        text, data = (token, b"") if added else self._surface(token)
        is_special = bool(added and added["special"])
        is_unknown = number == self.trained.unk_token_id
        return Look(number, token, text, data.hex(" ").upper(), is_special, is_unknown)

    def _surface(self, token: str) -> tuple[str, bytes]:
        """Return the text of a token, or else its bytes."""
        data = _bytes_of(token) if self._is_of_bytes else None
        if self._has_fallback and (found := _FALLBACK.fullmatch(token)):
            data = bytes.fromhex(found[1])
        if data is None:
            return (token.replace(_METASPACE, " ") if self._is_of_blanks else token), b""
        try:
            return data.decode(), b""
        except UnicodeDecodeError:
            return "", data


def _alphabet() -> dict[str, int]:
    """Return which byte each character of a byte-level vocabulary stands for (Radford et al. 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    shifted = {chr(0x100 + place): byte for place, byte in enumerate(others)}
    return {chr(byte): byte for byte in printable} | shifted


_ALPHABET = _alphabet()


def _bytes_of(token: str) -> bytes | None:
    """Return a byte-level token's bytes; None where it has characters of another alphabet."""
    try:
        return bytes(_ALPHABET[character] for character in token)
    except KeyError:
        return None
