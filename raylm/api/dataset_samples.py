"""A few documents of a dataset as text, from its tokens: what a model learns from."""

from __future__ import annotations

from collections.abc import Callable

from raylm.api.datasets import LONGEST_NAME, Chosen, Json
from raylm.api.token_preview import looks_of
from raylm.config.errors import BadInput
from raylm.data.shards import Dataset, Split

MOST_DOCUMENTS = 6
MOST_TOKENS = 160  # of a document


def samples_of(chosen: Chosen) -> list[Json]:
    """Return the beginnings of documents, spread over each of the first sources.

    Raises:
        BadInput: the files do not lie on this machine, or are damaged.
    """
    path = chosen.folder.local_path() if chosen.folder is not None else None
    if path is None:
        message = "its documents do not lie on this machine"
        raise BadInput.one("dataset_id", message, "they are read from local files only", code="remote")
    dataset = Dataset.open(path)
    trained = looks_of(chosen).trained
    sources = range(len(dataset.source_names))
    filled = [(source, split) for source in sources if (split := _split(dataset, source))]
    shown = filled[:MOST_DOCUMENTS]
    return [
        {
            "source": dataset.source_names[source][:LONGEST_NAME],
            "number": number - int(split.source_documents[source]) + 1,
            **_beginning(split, number, trained.decode),
        }
        for source, split in shown
        for number in _spread(split, source, max(1, MOST_DOCUMENTS // len(shown)))
    ]


def _split(dataset: Dataset, source: int) -> Split | None:
    """Return the first split that has documents of a source: a small source may be in validation alone."""
    return next((split for split in dataset.splits.values() if _count(split, source)), None)


def _count(split: Split, source: int) -> int:
    return int(split.source_documents[source + 1] - split.source_documents[source])


def _spread(split: Split, source: int, most: int) -> list[int]:
    """Return numbers of a source's documents, the same ones each time."""
    first, count = int(split.source_documents[source]), _count(split, source)
    wanted = min(count, most)
    return [first + count * place // wanted for place in range(wanted)]


def _beginning(split: Split, number: int, decode: Callable[[list[int]], str]) -> Json:
    start, stop = split.read("documents", number, number + 2).tolist()
    shown = min(stop - start, MOST_TOKENS)
    ids = split.read("tokens", start, start + shown).tolist()
    return {"text": decode(ids), "num_tokens": stop - start, "is_cut": shown < stop - start}
