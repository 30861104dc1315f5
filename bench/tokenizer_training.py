"""Training tokenizers on text whose vocabulary keeps growing: seconds and peak memory of each kind.

python bench/tokenizer_training.py --mb 500 --json bench/results/tokenizer_training.json
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import harness, heaps
from raylm.config import discover

KINDS = ("byte_bpe", "wordpiece", "unigram")
_CHUNK_CHARACTERS = 1 << 16  # as a preparation gives the text


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mb", type=int, default=500, help="megabytes of text")
    parser.add_argument("--vocab-size", type=int, default=8192)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(train(arguments.kinds[0], arguments.child, arguments.vocab_size)))
        return
    figures: dict[str, float] = {"text/megabytes": arguments.mb}
    print(
        f"{arguments.mb} MB, vocabulary {arguments.vocab_size:,}\n{'kind':>12}{'seconds':>10}{'peak MB':>10}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        heaps.write(path, arguments.mb * 10**6, arguments.seed)
        for kind in arguments.kinds:
            result = in_a_process(kind, path, arguments.vocab_size)
            print(f"{kind:>12}{result['seconds']:10.1f}{result['peak_mb']:10.0f}", flush=True)
            figures |= {f"{kind}/{name}": value for name, value in result.items()}
    harness.write_json(arguments.json, "tokenizer_training", figures)


def in_a_process(kind: str, path: Path, vocab_size: int) -> dict[str, float]:
    """Return what `train` does in a process of its own, whose peak is nobody else's."""
    command = [
        sys.executable,
        __file__,
        "--kinds",
        kind,
        "--vocab-size",
        str(vocab_size),
        "--child",
        str(path),
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def train(kind: str, path: Path, vocab_size: int) -> dict[str, float]:
    """Train on a file; return seconds, the peak memory of this process and the vocabulary."""
    from raylm.data.tokenizers import Tokenizer

    discover("raylm.data.tokenizers")
    start = time.perf_counter()
    made = Tokenizer.model_validate({"kind": kind, "vocab_size": vocab_size})
    trained = made.train(texts(path))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": time.perf_counter() - start,
        "peak_mb": peak_kib * 1024 / 1e6,
        "vocab_size": trained.vocab_size,
    }


def texts(path: Path) -> Iterator[str]:
    """Yield a file's text in chunks."""
    with path.open(encoding="utf-8") as file:
        while text := file.read(_CHUNK_CHARACTERS):
            yield text


if __name__ == "__main__":
    main()
