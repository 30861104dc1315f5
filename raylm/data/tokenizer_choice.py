"""Which tokenizers are compared: ones that are there, or several kinds trained on the same texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from raylm.config.choice import discover
from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean
from raylm.data.files import source_kind
from raylm.data.section import DataSection
from raylm.data.sources import Source
from raylm.data.tokenizer_files import read_tokenizer, tokenizer_in
from raylm.data.tokenizers import SizedTokenizer, Tokenizer
from raylm.data.trained_tokenizer import MODEL_FILE, TrainedTokenizer
from raylm.runs.catalogue import find
from raylm.runs.storages import resolve

_FIELD = "tokenizer"
_SUBFOLDER = "tokenizer"  # in a run, and in a dataset


@dataclass(frozen=True)
class Candidates:
    """Tokenizers by name, and the sources on which they may be measured."""

    trained: Mapping[str, TrainedTokenizer]
    data: DataSection | None = None
    notes: tuple[str, ...] = ()

    def sources_to_measure(self, files: Sequence[str]) -> tuple[Sequence[Source], Sequence[str]]:
        """Return sources and their names: of these files, or of the recipe.

        Raises:
            BadInput: neither is given.
        """
        if files:
            given = DataSection(sources=tuple(_source(path) for path in files))
        elif self.data is None or not self.data.sources:
            raise BadInput.one("--data", "no text to measure on", "name files: --data FILE", code="empty")
        else:
            given = self.data
        return given.sources, given.source_names()


def found(references: Sequence[str], storage: str | None) -> Candidates:
    """Return the tokenizers in these folders, datasets and runs."""
    return Candidates({reference: find_tokenizer(reference, storage) for reference in references})


def find_tokenizer(reference: str, storage: str | None = None) -> TrainedTokenizer:
    """Return the tokenizer that a path or a run names.

    Raises:
        BadInput: there is none.
    """
    path = Path(reference).expanduser()
    for place in (path, path / _SUBFOLDER):
        if (place / MODEL_FILE).is_file():
            return read_tokenizer(place, _FIELD)
    if path.exists():
        if path.is_file():
            return read_tokenizer(path, _FIELD)
        raise BadInput.one(_FIELD, f"{path} holds no {MODEL_FILE}", code="missing")
    run, _ = find(reference, None if storage is None else [resolve(storage)])
    return tokenizer_in(run.folder / _SUBFOLDER, _FIELD)


def trained_on(data: DataSection, storage: str, kinds: Sequence[str], vocab_size: int) -> Candidates:
    """Return several kinds of tokenizers, trained on the same texts.

    Raises:
        BadInput: a kind is unknown or cannot be trained, or a source cannot be read.
    """
    from raylm.data.prepare import training_texts

    chosen = {kind: _kind(kind, vocab_size) for kind in dict.fromkeys(kinds)}
    trained = {kind: each.train(training_texts(data, storage)) for kind, each in chosen.items()}
    notes = [f"{kind}: {note}" for kind, each in chosen.items() for note in each.notes(trained[kind])]
    notes += [
        f"{kind}: gives words back, not the white space"
        for kind, each in chosen.items()
        if not each.is_lossless
    ]
    return Candidates(trained, data, tuple(notes))


def _kind(name: str, vocab_size: int) -> Tokenizer:
    discover("raylm.data.tokenizers")
    known = [kind for kind in sorted(Tokenizer.kinds) if Tokenizer.kinds[kind].reads_texts]  # pyright: ignore[reportAttributeAccessIssue] - a tokenizer's class
    if name not in known:
        near = did_you_mean(name, known)
        message = f"{name!r} cannot be trained; raylm has {', '.join(known)}"
        raise BadInput.one("--kinds", message, near, code="kind")
    values: dict[str, Any] = {"kind": name}
    if issubclass(Tokenizer.kinds[name], SizedTokenizer):
        values["vocab_size"] = vocab_size
    try:
        return Tokenizer.model_validate(values)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput.one("--vocab-size", f"{name}: {message}", code="vocab-size") from None


def _source(path: str) -> Source:
    """Return the source that reads a person's files, by their suffix."""
    discover("raylm.data.sources")
    kind = source_kind(path)
    more = {"by": "paragraph"} if kind == "text" else {}
    return Source.model_validate({"kind": kind, "path": path, **more})
