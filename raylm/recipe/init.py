"""What a run begins with: the weights of a checkpoint, or those of a folder that transformers loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import create_model

from raylm.config import BadInput, Problem
from raylm.config.report import Origin
from raylm.config.sections import Section, knob
from raylm.runs.catalogue import find
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.fork import good_checkpoint
from raylm.runs.run import Run

_MODEL = "model"  # folder of a run
_help = "A run, RUN@STEP or RUN@best, or a folder with config.json and safetensors."
# `from` is a word of Python's: a class body cannot hold it, a recipe can.
_fields: Any = {"from": (str, knob(description=_help, min_length=1))}
_From: Any = create_model("_From", __base__=Section, **_fields)


class InitSection(_From):
    """Which weights a run begins with."""

    freeze: tuple[str, ...] = ()
    """Patterns of the names of weights that are not trained, such as "*.embeddings.*"."""

    @property
    def source(self) -> str:
        """The reference, absolute: `<run's URI>@<step>`, or a folder."""
        return getattr(self, "from")

    def run(self) -> tuple[Run, int] | None:
        """Return the run and the step; None where weights come from a folder."""
        uri, _, step = self.source.rpartition("@")
        return (Run.from_uri(uri), int(step)) if uri and step.isdecimal() else None

    def checkpoint(self, *, deep: bool = False) -> Checkpoint | None:
        """Return the checkpoint, names and sizes checked, with `deep` every byte; None for a folder.

        Raises:
            BadInput: it is gone or damaged.
        """
        found = self.run()
        return None if found is None else good_checkpoint(*found, deep=deep)


def with_init(origin: Origin, folder: Path, storage: str | None = None) -> tuple[Origin, list[Problem]]:
    """Return the values with what `init` says of model and tokenizer, and what is wrong with it.

    The reference becomes absolute, so that it means the same on a worker as where the recipe was read.
    """
    section = origin.values.get("init")
    reference = section.get("from") if isinstance(section, Mapping) else None
    if not isinstance(reference, str) or not reference.strip() or _is_settled(reference, origin.values):
        return origin, []
    try:
        absolute, taken = _taken(reference, _storages(storage, origin.values), [folder, Path.cwd()])
    except BadInput as error:
        return origin, [
            Problem("init.from", each.message, each.mend, code=each.code) for each in error.problems
        ]
    problems = [
        problem for name in taken if (problem := _contradiction(origin.values.get(name), taken, name))
    ]
    values = {**origin.values, **taken, "init": {**dict(section or {}), "from": absolute}}
    return origin._replace(values=values), problems


def _is_settled(reference: str, values: Mapping[str, Any]) -> bool:
    """Whether the values are those of a recipe that was read before: what it stands on may be gone by now."""
    model, tokenizer = values.get("model"), values.get("tokenizer")
    path = model.get("path") if isinstance(model, Mapping) else None
    return isinstance(tokenizer, Mapping) and path in (reference, f"{reference.rpartition('@')[0]}/{_MODEL}")


def _storages(given: str | None, values: Mapping[str, Any]) -> Sequence[str] | None:
    storage = given or values.get("storage")
    return [storage] if storage else None


def _taken(
    reference: str, storages: Sequence[str] | None, folders: Sequence[Path]
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the absolute reference, and the sections of model and tokenizer that it stands for."""
    path = next((each for each in _places(reference, folders) if (each / "config.json").is_file()), None)
    if path is not None:
        _refuse_adapter(path)
        return str(path), {"model": _pretrained(str(path)), "tokenizer": _pretrained(str(path))}
    run, step = _run_of(reference, storages)
    # The weights come from the checkpoint; the configuration and the tokenizer lie in the run.
    model = {**_pretrained(f"{run.uri}/{_MODEL}"), "has_fresh_weights": True}
    absolute = f"{run.uri}@{_newest(run) if step is None else step}"
    return absolute, {"model": model, "tokenizer": _pretrained(f"{run.uri}/tokenizer")}


def _places(reference: str, folders: Sequence[Path]) -> list[Path]:
    path = Path(reference).expanduser()
    return [path] if path.is_absolute() else [folder / path for folder in folders]


def _run_of(reference: str, storages: Sequence[str] | None) -> tuple[Run, int | None]:
    uri, _, step = reference.rpartition("@")
    if "/" in uri and step.isdecimal():
        return Run.from_uri(uri), int(step)
    return find(reference, storages)


def _newest(run: Run) -> int:
    checkpoint, reasons = run.checkpoints.latest_good(deep=False)
    if checkpoint is None:
        why = "; ".join(reasons) or "it has none"
        raise BadInput.one("init.from", f"{run.run_id} has no good checkpoint: {why}", code="no_step")
    return checkpoint.step


def _refuse_adapter(path: Path) -> None:
    if (path / "adapter_config.json").is_file() and not (path / "model.safetensors").is_file():
        base = json.loads((path / "adapter_config.json").read_bytes()).get("base_model_name_or_path")
        mend = f"merge it into its model first ({base})"
        raise BadInput.one("init.from", f"{path} is an adapter alone", mend, code="adapter")


def _pretrained(path: str) -> dict[str, Any]:
    return {"kind": "pretrained", "path": path}


def _contradiction(given: Any, taken: Mapping[str, Mapping[str, Any]], name: str) -> Problem | None:
    """Return why a section cannot stand beside the one that `init` brings along."""
    same = given is None or (isinstance(given, Mapping) and taken[name].items() <= dict(given).items())
    if same:
        return None
    message = "comes from init.from with the weights"
    return Problem(name, message, f"leave the section out, or set {name}=null", code="init")
