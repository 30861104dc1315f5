"""Texts as sets of shingles: hashes of every few words (or characters) that follow each other.

A hash depends on the text alone: not on what is hashed beside it, the process or the machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Unit: TypeAlias = Literal["words", "characters"]
Hashes: TypeAlias = NDArray[np.uint64]

PIECE = 1 << 18
"""Characters hashed at a time: the arrays of one piece stay in the processor's cache."""

_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: odd, so that no position is lost modulo 2**64
_SEPARATOR, _WORD, _ALONE = 0, 1, 2
_TABLE_SIZE = 0x20000
# Written without spaces between words, so each character is one: Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
)


class Batch(NamedTuple):
    """Hashes of several texts, one text after the other; no text is without one."""

    hashes: Hashes
    bounds: NDArray[np.int64]
    """Text i has hashes[bounds[i]:bounds[i + 1]]."""


def shingle_batches(texts: Sequence[str], unit: Unit, size: int) -> Iterator[Batch]:
    """Yield the shingles of the texts in order, many short texts or one long one at a time.

    Case, and white space or all that is not a word, make no difference. A text of fewer than `size` units is
    one shingle; one without any word is one shingle of all its characters.
    """
    for batch in _batches(texts):
        yield _shingles(_tokens(batch, unit), size)


def shingle_set(text: str, unit: Unit, size: int) -> Hashes:
    """Return the different shingles of a text, sorted."""
    return np.unique(_shingles(_tokens([text], unit), size).hashes)


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return the share of shingles that two sorted sets have in common."""
    together = np.concatenate((one, other))
    together.sort(kind="stable")  # merges two sorted runs
    shared = int(np.count_nonzero(together[1:] == together[:-1]))
    return shared / (len(together) - shared)


def mix(values: Hashes) -> Hashes:
    """Return values whose every bit depends on every bit (the finaliser of MurmurHash3, Appleby 2011)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def constants(count: int, stream: int) -> Hashes:
    """Return numbers that look random and are the same everywhere (SplitMix64, Steele et al. 2014)."""
    return mix((np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)) * _BASE)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    length = 0
    for text in texts:
        if batch and length + len(text) > PIECE:
            yield batch
            batch, length = [], 0
        batch.append(text)
        length += len(text) + 1
    if batch:
        yield batch


def _tokens(texts: Sequence[str], unit: Unit) -> Batch:
    """Return a hash for each unit of each text."""
    if unit == "characters":
        plain = [" ".join(text.lower().split()) for text in texts]
        hashes, counts = mix(_codes("".join(plain)).astype(np.uint64)), [len(text) for text in plain]
    else:
        hashes, counts = _words(texts)
    return _filled(texts, hashes, np.array(counts, np.int64))


def _filled(texts: Sequence[str], hashes: Hashes, counts: NDArray[np.int64]) -> Batch:
    """Return the hashes with one of the whole text for each text that has none."""
    bounds = np.concatenate(([0], np.cumsum(counts)))
    (empty,) = np.nonzero(counts == 0)
    if len(empty):
        whole = [blake2b(texts[at].encode("utf-8", "surrogatepass"), digest_size=8) for at in empty.tolist()]
        hashes = np.insert(
            hashes, bounds[empty], np.frombuffer(b"".join(each.digest() for each in whole), "<u8")
        )
        bounds = np.concatenate(([0], np.cumsum(np.maximum(counts, 1))))
    return Batch(hashes, bounds)


def _words(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.int64]]:
    """Return a hash for each word and the number of words of each text."""
    lowered = [text.lower() for text in texts]
    if len(lowered) == 1 and len(lowered[0]) > PIECE:
        parts = [_hash_words(piece)[0] for piece in _pieces(lowered[0])]
        return np.concatenate(parts), np.array([sum(map(len, parts))])
    hashes, places = _hash_words("\n".join(lowered))
    edges = list(accumulate((len(text) + 1 for text in lowered), initial=0))
    return hashes, np.diff(np.searchsorted(places, edges))


def _pieces(text: str) -> Iterator[str]:
    """Yield a long text in pieces cut at spaces, or in the middle of what has none."""
    start = 0
    while start < len(text):
        end = start + PIECE
        if end < len(text):
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space if space > start else end
        yield text[start:end]
        start = end


def _hash_words(text: str) -> tuple[Hashes, NDArray[np.int64]]:
    """Return a hash for each word of a lower-case text, and where each begins."""
    codes = _codes(text)
    classes = _classes()[np.minimum(codes, _TABLE_SIZE)]
    begins = classes == _ALONE
    begins[1:] |= (classes[1:] == _WORD) & (classes[:-1] != _WORD)
    begins[:1] |= classes[:1] == _WORD
    (places,) = np.nonzero(classes)
    (firsts,) = np.nonzero(begins[places])
    if not len(firsts):
        return np.zeros(0, np.uint64), firsts
    lengths = np.diff(firsts, append=len(places))
    nth = np.arange(len(places)) - np.repeat(firsts, lengths)
    weighted = codes[places] * _powers(int(lengths.max()))[nth]
    return mix(np.add.reduceat(weighted, firsts)), places[firsts]


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _powers(count: int) -> Hashes:
    """Return 1, _BASE, _BASE**2 ... modulo 2**64."""
    return _all_powers(1 << (count - 1).bit_length())[:count]


@lru_cache(maxsize=32)
def _all_powers(count: int) -> Hashes:
    powers = np.full(count, _BASE)
    powers[0] = 1
    return np.cumprod(powers)


@lru_cache(maxsize=1)
def _classes() -> NDArray[np.uint8]:
    """Return what each character is: part of a word, a word of its own, or neither."""
    is_word = (unicodedata.category(chr(code))[0] in "LNM" for code in range(_TABLE_SIZE))
    classes = np.fromiter(is_word, np.uint8, _TABLE_SIZE)
    for first, last in _UNSPACED:
        classes[first : last + 1] *= np.uint8(_ALONE)
    return np.append(classes, np.uint8(_ALONE))  # from U+20000 on: Han


def _shingles(tokens: Batch, size: int) -> Batch:
    counts = np.diff(tokens.bounds)
    ends = np.repeat(tokens.bounds[1:], counts)
    at = np.arange(len(tokens.hashes))
    mixed = np.zeros(len(at), np.uint64)
    for ahead in range(size):
        within = np.zeros(len(at), np.uint64)
        within[: len(at) - ahead] = tokens.hashes[ahead:]
        within[at + ahead >= ends] = 0
        mixed = (mixed + within) * _BASE
    kept = at + size <= ends
    kept[tokens.bounds[:-1]] = True
    return Batch(mix(mixed[kept]), np.concatenate(([0], np.cumsum(np.maximum(counts - size + 1, 1)))))
