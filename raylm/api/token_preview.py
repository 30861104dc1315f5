"""What a tokenizer makes of a text, or of ids: its tokens one by one, and how well it packs the text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from raylm.api.datasets import Chosen, Json
from raylm.config.errors import BadInput
from raylm.data.token_looks import Look, TokenLooks
from raylm.data.tokenizer_files import read_tokenizer, tokenizer_in
from raylm.data.trained_tokenizer import MODEL_FILE
from raylm.runs.folder import Folder

MOST_CHARACTERS = 100_000  # of a text
MOST_IDS = 20_000  # that a person may give
MOST_SHOWN = 1_000  # tokens
_FIELD = "tokenizer"


def tokens_of_text(chosen: Chosen, text: str, *, is_whole: bool = False) -> Json:
    """Return a text's tokens; with `is_whole` the special ones stand around it that a model is used to.

    Raises:
        BadInput: it is no text, too long, or holds what this tokenizer has no token for.
    """
    if not isinstance(text, str):
        raise BadInput.one("text", "must be text", "give a text")
    if len(text) > MOST_CHARACTERS:
        message = f"has {len(text):,} characters; the most is {MOST_CHARACTERS:,}"
        raise BadInput.one("text", message, "give a part of it", code="long")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half a character is none
    looks = looks_of(chosen)
    try:
        ids = looks.trained.encoding(text, is_whole=is_whole).ids
    except Exception as error:  # noqa: BLE001 - the library raises this class
        raise BadInput.one("text", f"cannot be cut into tokens: {error}", code="unknown") from None
    is_same = None if is_whole else looks.trained.decode(ids) == text
    return _answer(looks, ids, text) | {"is_same": is_same}


def text_of_tokens(chosen: Chosen, ids: Sequence[int]) -> Json:
    """Return the text of ids, and their tokens.

    Raises:
        BadInput: one is no id of this tokenizer, or there are too many.
    """
    if not isinstance(ids, list) or not all(type(each) is int for each in ids):  # True is an int too
        raise BadInput.one("ids", "must be a list of whole numbers", code="ids")
    if len(ids) > MOST_IDS:
        message = f"are {len(ids):,}; the most is {MOST_IDS:,}"
        raise BadInput.one("ids", message, "give a part of them", code="long")
    looks = looks_of(chosen)
    size = looks.trained.vocab_size
    for each in ids:
        if not 0 <= each < 1 << 32 or looks.trained.token_of(each) is None:
            raise BadInput.one(
                "ids", f"{each} is no token's id", f"they go from 0 to {size - 1:,}", code="ids"
            )
    return _answer(looks, ids, looks.trained.decode(ids))


def looks_of(chosen: Chosen) -> TokenLooks:
    """Return the tokenizer of a dataset or run; those looked at last are kept.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    folder = chosen.tokenizer
    try:
        stamp = folder.stamp(MODEL_FILE)
    except OSError:
        raise BadInput.one(_FIELD, f"{folder.uri} holds no {MODEL_FILE}", code="missing") from None
    return _load(folder.uri, stamp)


@lru_cache(maxsize=2)
def _load(uri: str, stamp: str) -> TokenLooks:
    del stamp  # one that was written anew is read anew
    folder = Folder.open(uri)
    path = folder.local_path()
    return TokenLooks(tokenizer_in(folder, _FIELD) if path is None else read_tokenizer(path, _FIELD))


def _answer(looks: TokenLooks, ids: Sequence[int], text: str) -> Json:
    shown = [look for each in ids[:MOST_SHOWN] if (look := looks.of(each)) is not None]
    unknown = looks.trained.unk_token_id
    return {
        "text": text,
        "tokens": list(map(_plain, shown)),
        "num_tokens": len(ids),
        "num_characters": len(text),
        "num_bytes": len(text.encode("utf-8", "replace")),
        "num_unknown": sum(each == unknown for each in ids) if unknown is not None else 0,
        "has_unknown": unknown is not None,
        "is_same": None,  # whether its ids give a text back
        "has_frame": bool(looks.trained.encoding("", is_whole=True).ids),
    }


def _plain(look: Look) -> Json:
    return look._asdict() | {"token": look.token[:200], "text": look.text[:200]}
