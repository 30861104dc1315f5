"""Near duplicates: how many planted edits of real paragraphs are found, what is dropped besides, how fast."""

import argparse
import gzip
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import harness
from bench.harness import ROOT
from raylm.data.filters import Twin
from raylm.data.filters.near_duplicates import NearDuplicates

PERCENT = (1, 2, 3, 5, 10)
WORDS = (50, 300)
"""The fewest words of a paragraph, and the most: a longer text is cut into paragraphs of so many."""


class Planted(NamedTuple):
    """A corpus in which some documents are edits of earlier ones."""

    texts: Sequence[str]
    original: dict[int, int]
    """By the number of the edit."""


def main() -> None:
    """Print recall by the share of words changed, precision, and the speed of the sketches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="texts, plain or .gz")
    parser.add_argument("--edits", type=int, default=1000, help="planted for each share of words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    paragraphs = read_paragraphs(arguments.files or shipped())
    deduplicate = NearDuplicates()
    figures = speed(deduplicate, paragraphs)
    natural = set(dropped(deduplicate, paragraphs))
    paragraphs = [text for number, text in enumerate(paragraphs) if number not in natural]
    print(f"{len(paragraphs)} paragraphs; {len(natural)} more were near duplicates before any edit")
    print(f"{'words changed':>14}{'recall':>8}{'precision':>11}")
    for percent in PERCENT:
        draw = random.Random(arguments.seed + percent)  # noqa: S311 (no secret)
        planted = plant(paragraphs, arguments.edits, percent / 100, draw)
        recall, precision = score(planted, dropped(deduplicate, planted.texts))
        figures |= {f"recall/{percent}_percent": recall, f"precision/{percent}_percent": precision}
        print(f"{percent:12} %{recall:9.3f}{precision:11.3f}")
    print(f"sketches: {figures['sketch/mb_per_cpu_second']:.1f} MB per CPU-second")
    harness.write_json(arguments.json, "near_duplicates", figures)


def shipped() -> list[Path]:
    """Return the texts of the examples."""
    folders = [ROOT / "examples" / "data" / name for name in ("books", "wiki_docs", "wikitext2")]
    suffixes = {".txt", ".md", ".gz"}
    files = sorted(path for folder in folders for path in folder.glob("*") if path.suffix in suffixes)
    return [path for path in files if "LICENSE" not in path.name and path.name != "README.md"]


def read_paragraphs(files: Sequence[Path]) -> list[str]:
    """Return the paragraphs of the files that are long enough, cut where they are too long."""
    least, most = WORDS
    paragraphs = []
    for path in files:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        for block in text.replace("\n\n", "\f").split("\f"):
            words = block.split()
            cuts = [words[at : at + most] for at in range(0, len(words), most)]
            paragraphs += [" ".join(cut) for cut in cuts if len(cut) >= least]
    return paragraphs


def plant(paragraphs: Sequence[str], count: int, share: float, draw: random.Random) -> Planted:
    """Return the paragraphs with edits of `count` of them put in at random places after their originals."""
    vocabulary = [word for text in paragraphs[::7] for word in text.split()]
    chosen = draw.choices(range(len(paragraphs)), k=count)
    edits = [edit(paragraphs[number].split(), share, vocabulary, draw) for number in chosen]
    originals = dict(enumerate(chosen, start=len(paragraphs)))
    return Planted([*paragraphs, *edits], originals)


def edit(words: Sequence[str], share: float, vocabulary: Sequence[str], draw: random.Random) -> str:
    """Return the text with a share of its words, at least one, replaced, deleted, or others inserted."""
    edited = [[word] for word in words]
    for place in draw.sample(range(len(words)), max(1, round(share * len(words)))):
        another = draw.choice(vocabulary)
        edited[place] = draw.choice(([another], [], [words[place], another]))
    return " ".join(word for group in edited for word in group)


def dropped(deduplicate: NearDuplicates, texts: Sequence[str]) -> dict[int, Twin]:
    """Return what the filter drops, given the texts in blocks."""
    blocks = [deduplicate.sketch(texts[at : at + 500]) for at in range(0, len(texts), 500)]
    return dict(deduplicate.decide(blocks, texts.__getitem__))


def score(planted: Planted, twins: dict[int, Twin]) -> tuple[float, float]:
    """Return the share of edits dropped for their original, and the share of all drops that were such."""
    found = sum(
        number in twins and twins[number].of == original for number, original in planted.original.items()
    )
    return found / len(planted.original), found / max(1, len(twins))


def speed(deduplicate: NearDuplicates, texts: Sequence[str]) -> dict[str, float]:
    """Return how fast the texts are sketched, and what a document's sketch takes."""
    deduplicate.sketch(texts[:100])
    start = time.process_time()
    sketch = deduplicate.sketch(texts)
    seconds = time.process_time() - start
    num_bytes = sum(len(text.encode()) for text in texts)
    return {
        "sketch/mb_per_cpu_second": num_bytes / seconds / 1e6,
        "sketch/bytes_per_document": sketch.nbytes / len(texts),
    }


if __name__ == "__main__":
    main()
