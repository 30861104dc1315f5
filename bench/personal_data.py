"""Personal data: what is found, missed and taken for some, by kind and form, and what the search costs."""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import harness
from bench.harness import ROOT
from raylm.data.filters.personal_data import PersonalData
from raylm.data.personal import Hit, digits_of, find_all
from raylm.data.sources.text import Text

SAMPLE = ROOT / "tests" / "data" / "presidio_synth" / "odd.jsonl.gz"
KINDS = {
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "national_id",
    "PHONE_NUMBER": "phone",
}


class Span(NamedTuple):
    """A labelled piece of personal data."""

    start: int
    end: int
    kind: str


class Record(NamedTuple):
    """A text and what is in it."""

    text: str
    spans: Sequence[Span]


class Score(NamedTuple):
    """How the finds of one kind or form agree with the labels."""

    labelled: int
    found: int
    false: int

    @property
    def recall(self) -> float:
        """The share of the labelled that was found."""
        return self.found / self.labelled if self.labelled else 1.0

    @property
    def precision(self) -> float:
        """The share of the finds that are labelled."""
        finds = self.found + self.false
        return self.found / finds if finds else 1.0


def main() -> None:
    """Print a table by kind, one of the phone numbers by form, and the speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=SAMPLE, help="labelled records, JSON or JSONL")
    parser.add_argument(
        "--half", choices=("even", "odd"), help="every second record of the file only, from 0"
    )
    parser.add_argument("--speed", nargs="*", type=Path, default=[], help="plain texts to time, .gz too")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    records = read(arguments.file)
    if arguments.half:
        records = records[arguments.half == "odd" :: 2]
    search = PersonalData().recognisers()
    finds = [find_all(record.text, search) for record in records]
    scores = by_kind(records, finds) | by_form(records, finds)
    print(f"{len(records)} records\n{table(scores)}")
    figures = {f"{name}/recall": score.recall for name, score in scores.items()}
    figures |= {f"{name}/precision": score.precision for name, score in scores.items()}
    for path in arguments.speed:
        figures[f"speed/{path.name}/mb_per_cpu_second"] = rate = speed(path)
        print(f"{path.name}: {rate:.1f} MB per CPU-second")
    harness.write_json(arguments.json, "personal_data", figures)


def table(scores: dict[str, Score]) -> str:
    """Return the scores as lines of text."""
    lines = [f"{'':36}{'labelled':>9}{'found':>7}{'missed':>8}{'false':>7}{'recall':>8}{'precision':>11}"]
    for name, score in scores.items():
        counts = f"{score.labelled:9}{score.found:7}{score.labelled - score.found:8}{score.false:7}"
        lines.append(f"{name:36}{counts}{score.recall:8.3f}{score.precision:11.3f}")
    return "\n".join(lines)


def read(path: Path) -> list[Record]:
    """Return the records of a list in JSON, or one a line."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    return [Record(row["full_text"], [*_spans(row)]) for row in rows]


def _spans(row: dict[str, Any]) -> Iterator[Span]:
    for span in row["spans"]:
        if span["entity_type"] in KINDS:
            yield Span(span["start_position"], span["end_position"], KINDS[span["entity_type"]])


def by_kind(records: Sequence[Record], finds: Sequence[Sequence[Hit]]) -> dict[str, Score]:
    """Return the score of each kind; a find counts when it overlaps a label of its kind."""
    labelled, found, false = Counter(), Counter(), Counter()
    for record, hits in zip(records, finds, strict=True):
        labelled.update(span.kind for span in record.spans)
        found.update(span.kind for span in record.spans if any(agree(span, hit) for hit in hits))
        false.update(hit.kind for hit in hits if not any(agree(span, hit) for span in record.spans))
    return {kind: Score(labelled[kind], found[kind], false[kind]) for kind in KINDS.values()}


def by_form(records: Sequence[Record], finds: Sequence[Sequence[Hit]]) -> dict[str, Score]:
    """Return the scores of phone numbers by how they were found, and the missed ones by how they look."""
    found, false, missed = Counter(), Counter(), Counter()
    for record, hits in zip(records, finds, strict=True):
        phones = [span for span in record.spans if span.kind == "phone"]
        for hit in hits:
            if hit.kind == "phone":
                (found if any(agree(span, hit) for span in phones) else false)[hit.form] += 1
        unseen = [span for span in phones if not any(agree(span, hit) for hit in hits)]
        missed.update(look(record.text[span.start : span.end]) for span in unseen)
    forms = {f"phone, {form}": Score(found[form], found[form], false[form]) for form in sorted(found | false)}
    return forms | {f"phone missed, {form}": Score(count, 0, 0) for form, count in sorted(missed.items())}


def look(written: str) -> str:
    """Return how a phone number looks: whether it names a country, and how many digits it has."""
    country = "international" if written.startswith(("+", "00")) else "no country"
    return f"{country}, {len(digits_of(written))} digits"


def agree(span: Span, hit: Hit) -> bool:
    """Return whether a find is of a label's kind and overlaps it."""
    return span.kind == hit.kind and span.start < hit.end and hit.start < span.end


def speed(path: Path) -> float:
    """Return the megabytes of a text's lines that the filter judges in a CPU-second."""
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    judge = PersonalData().judge(Text(path=str(path)))
    judge("Call +46 8 928 571 38.")  # loads the numbering plans
    start = time.process_time()
    for line in lines:
        judge(line)
    return sum(len(line.encode()) for line in lines) / (time.process_time() - start) / 1e6


if __name__ == "__main__":
    main()
