"""Make the samples of task data that ship in `examples/data`, from the sets they are taken from.

The sets are looked for in --data, each in a folder of its own: banking77, mbpp_sanitized, oasst_trees,
pubmedqa, scitldr, tatoeba and uner_ewt as their repositories have them (each sample's README.md says where).
What is made of texts that ship already (books_qa, code_explanations, grammar) needs no other data.
"""

import argparse
import gzip
import json
import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.harness import ROOT
from bench.samples.books import chapters
from bench.samples.conversations import conversations
from bench.samples.errors import from_books, is_fit, pairs
from bench.samples.explanations import explanations
from bench.samples.problems import problems
from bench.samples.questions import squad

SHIPPED = ROOT / "examples" / "data"
_SEED = 0
_NUM_SENTENCES = 6000
_LANGUAGES = ("deu", "fra", "spa")


class Place(NamedTuple):
    """Where samples are made of what."""

    data: Path
    out: Path


def main() -> None:
    """Make all samples, or the named ones, and print what they hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SAMPLES)}; by default all")
    default = os.environ.get("RAYLM_BENCH_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=default, help="folder of the sets; or $RAYLM_BENCH_DATA")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    for name in arguments.names or SAMPLES:
        make(name, Place(arguments.data, arguments.out))
        folder = arguments.out / name
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{name:20}{size:10,} bytes  {', '.join(sorted(path.name for path in folder.iterdir()))}")


def make(name: str, place: Place) -> None:
    """Make one sample in a folder of its name; the same bytes each time."""
    folder = place.out / name
    folder.mkdir(parents=True, exist_ok=True)
    SAMPLES[name](place, folder)


def _banking77(place: Place, folder: Path) -> None:
    _copy(place.data / "banking77", folder, "train.csv.gz")


def _uner_ewt(place: Place, folder: Path) -> None:
    _copy(place.data / "uner_ewt", folder, "en_ewt-ud-dev.iob2.gz")


def _tatoeba(place: Place, folder: Path) -> None:
    _copy(place.data / "tatoeba", folder)
    for language in _LANGUAGES:
        for side in (language, "eng"):
            name = f"tatoeba.{language}-eng.{side}"
            _write(folder / f"{name}.gz", (place.data / "tatoeba" / name).read_text("utf-8"))


def _scitldr(place: Place, folder: Path) -> None:
    _copy(place.data / "scitldr", folder)
    for name in ("train.jsonl.gz", "dev.jsonl.gz"):
        rows = _lines(place.data / "scitldr" / name)
        _write_rows(
            folder / name, ({key: row[key] for key in ("paper_id", "source", "target")} for row in rows)
        )


def _pubmedqa(place: Place, folder: Path) -> None:
    _copy(place.data / "pubmedqa", folder)
    articles = json.loads(gzip.decompress((place.data / "pubmedqa" / "ori_pqal.train.json.gz").read_bytes()))
    rows = (
        {
            "id": key,
            "question": article["QUESTION"],
            "context": " ".join(article["CONTEXTS"]),
            "long_answer": article["LONG_ANSWER"],
            "label": article["final_decision"],
        }
        for key, article in articles.items()
    )
    _write_rows(folder / "pubmedqa.jsonl.gz", rows)


def _mbpp(place: Place, folder: Path) -> None:
    _copy(place.data / "mbpp_sanitized", folder)
    rows = _lines(place.data / "mbpp_sanitized" / "mbpp_sanitized_for_code_generation.jsonl")
    _write_rows(folder / "mbpp.jsonl.gz", problems(rows))


def _oasst(place: Place, folder: Path) -> None:
    _copy(place.data / "oasst_trees", folder)
    trees = _lines(place.data / "oasst_trees" / "en_100_tree.jsonl.gz")
    _write_rows(folder / "conversations.jsonl.gz", (each for tree in trees for each in conversations(tree)))


def _code_explanations(_: Place, folder: Path) -> None:
    _copy(SHIPPED / "python_code", folder)
    files = _lines(SHIPPED / "python_code" / "thealgorithms.jsonl.gz")
    _write_rows(folder / "code_explanations.jsonl.gz", explanations(files))


def _books_qa(_: Place, folder: Path) -> None:
    _copy(SHIPPED / "books", folder)
    found = chapters(SHIPPED / "books")
    for name, is_test in (("train", False), ("test", True)):
        text = json.dumps(squad(found, is_test=is_test), ensure_ascii=False)
        _write(folder / f"{name}.json.gz", text)


def _grammar(_: Place, folder: Path) -> None:
    _copy(SHIPPED / "books", folder)
    _copy(SHIPPED / "tatoeba", folder)
    files = sorted((SHIPPED / "tatoeba").glob("*.eng.gz"))
    texts = [line for path in files for line in gzip.decompress(path.read_bytes()).decode().split("\n")]
    short = list(dict.fromkeys(filter(is_fit, texts)))
    draw = random.Random(_SEED)  # noqa: S311 (no secret)
    clean = from_books(chapters(SHIPPED / "books"), _NUM_SENTENCES - len(short), draw) + short
    _write_rows(folder / "grammar.jsonl.gz", pairs(clean, draw))


SAMPLES: Mapping[str, Callable[[Place, Path], None]] = {
    "banking77": _banking77,
    "uner_ewt": _uner_ewt,
    "tatoeba": _tatoeba,
    "scitldr": _scitldr,
    "pubmedqa": _pubmedqa,
    "mbpp": _mbpp,
    "oasst": _oasst,
    "code_explanations": _code_explanations,
    "books_qa": _books_qa,
    "grammar": _grammar,
}
"""In an order in which what one is made of is there."""
FROM_SHIPPED = ("code_explanations", "books_qa", "grammar")


def _copy(folder: Path, to: Path, *names: str) -> None:
    """Copy these files, and the licences that stand beside them."""
    for path in sorted(folder.iterdir()):
        if path.name in names or path.name.startswith("LICENSE"):
            shutil.copyfile(path, to / path.name)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        yield json.loads(line)


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    _write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
