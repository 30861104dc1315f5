"""Made-up text whose vocabulary keeps growing: what the memory of a preparation is measured on.

Repeating a corpus brings no new word, so that anything that grows with the vocabulary looks bounded on it.
Here n words hold `_FACTOR * n ** _EXPONENT` distinct ones (Heaps' law; Heaps 1978, section 7.5; for English
the exponent is 0.4 to 0.7), and a word that is not new is drawn by Zipf and Mandelbrot's law (Mandelbrot
1953) from those before it. A shorter text of the same seed is the beginning of a longer one.

    python -m bench.heaps PATH --mb 500 --seed 0
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FACTOR, _EXPONENT = 20.0, 0.6
_OFFSET = 2.7  # Mandelbrot's, for English
_BLOCK_WORDS = 1 << 18
_WIDTH = 24  # bytes of the longest word: six syllables of at most four

_ONSETS = (*"bdfghjklmnprstvwz", "ch", "st", "tr")
_NUCLEI = "aeioué"
_SYLLABLES = [onset + nucleus for onset in _ONSETS for nucleus in _NUCLEI]
# What stands after a word, how often: within a sentence, at its end, at the end of a paragraph.
_AFTER = (" ", ", ", ". ", "? ", ".\n\n")
_SHARES = (0.87, 0.06, 0.05, 0.01, 0.01)
_ENDS_SENTENCE = np.array([False, False, True, True, True])


def write(path: str | Path, num_bytes: int, seed: int = 0) -> None:
    """Write a text of that many bytes, cut after a whole paragraph where there is one; the rest is blanks."""
    left = num_bytes
    with Path(path).open("wb") as file:
        for block in blocks(seed):
            if len(block) >= left:
                part = block[:left]
                kept = part[: part.rfind(b"\n\n") + 2]
                file.write(kept + b"\n" * (left - len(kept)))
                return
            file.write(block)
            left -= len(block)


def blocks(seed: int = 0) -> Iterator[bytes]:
    """Yield an endless text in blocks of some 2 MB, each of them whole words in UTF-8."""
    words = np.zeros((0, _WIDTH), np.uint8)
    is_start = True
    number = 0
    while True:
        rng = np.random.default_rng([seed, number])
        known = num_words(np.arange(_BLOCK_WORDS + 1) + number * _BLOCK_WORDS)
        words = np.concatenate([words, _spell(np.arange(len(words), known[-1]))])
        after = rng.choice(len(_AFTER), _BLOCK_WORDS, p=_SHARES)
        starts = np.concatenate([[is_start], _ENDS_SENTENCE[after[:-1]]])
        is_start = bool(_ENDS_SENTENCE[after[-1]])
        yield _text(words[_draw(rng, known)], after, starts)
        number += 1


def num_words(position: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many distinct words the text may hold before each position; one at least."""
    return np.maximum(1, _FACTOR * position**_EXPONENT).astype(np.int64)


def _draw(rng: np.random.Generator, known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of a block's words, given how many are known before each and after the last."""
    before, after = known[:-1], known[1:]
    # The inverse of the distribution 1 / (rank + offset) over the ranks from 0 to `before`.
    ranks = _OFFSET * ((before + _OFFSET) / _OFFSET) ** rng.random(len(before)) - _OFFSET
    return np.where(after > before, after - 1, np.minimum(ranks.astype(np.int64), before - 1))


def _spell(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return one row of bytes a word, padded with zeros: early words are short, and no two are the same."""
    table = np.zeros((len(_SYLLABLES), 4), np.uint8)
    for row, syllable in enumerate(_SYLLABLES):
        table[row, : len(syllable.encode())] = list(syllable.encode())
    rows = np.zeros((len(numbers), _WIDTH), np.uint8)
    base, start = len(_SYLLABLES), 0
    for length in range(1, _WIDTH // 4 + 1):
        stop = start + base**length
        chosen = (numbers >= start) & (numbers < stop)
        # A multiplier without a common divisor: neighbours in rank have other syllables.
        rest = (numbers[chosen] - start) * 7919 % base**length
        for place in range(length):
            rows[chosen, 4 * place : 4 * place + 4] = table[rest % base]
            rest //= base
        start = stop
    return rows


def _text(words: NDArray[np.uint8], after: NDArray[np.int64], starts: NDArray[np.bool_]) -> bytes:
    words[:, 0] -= np.where(starts, 32, 0).astype(np.uint8)  # every onset is a small ASCII letter
    endings = np.zeros((len(_AFTER), 3), np.uint8)
    for row, ending in enumerate(_AFTER):
        endings[row, : len(ending)] = list(ending.encode())
    flat = np.concatenate([words, endings[after]], axis=1).ravel()
    return flat[flat != 0].tobytes()


def main() -> None:
    """Write a text and say what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write(options.path, options.mb * 10**6, options.seed)
    print(f"{options.path}: {options.path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
