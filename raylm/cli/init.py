"""`raylm init`: a recipe to begin with."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from raylm.config import BadInput
from raylm.config.outputs import writing

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the recipe; NAME.yaml is written.")]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Your own text: a file (also JSONL, CSV, Parquet), a folder or a pattern.",
        show_default=False,
    ),
]
Starter = Annotated[
    str | None,
    typer.Option("--starter", metavar="NAME", help="A recipe that ships with raylm.", show_default=False),
]

# A GPT that two CPU cores train in some minutes; every other field is the schema's default.
_SMALL = {
    "model": {"kind": "gpt2", "num_layers": 4, "num_heads": 4, "hidden_size": 256},
    "tokenizer": {"kind": "byte_bpe", "vocab_size": 4096},
    "objective": {"kind": "causal"},
    "optimizer": {"kind": "adamw", "learning_rate": 1e-3},
    "schedule": {"kind": "cosine", "warmup_steps": 50, "min_learning_rate": 1e-4},
    "train": {"max_steps": 500, "sequence_length": 128, "global_batch_size": 16, "micro_batch_size": 16},
    "checkpoint": {"every_steps": 100},
    "evaluate": {"every_steps": 100},
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(name: Name, *, data: Data = None, starter: Starter = None) -> None:
    """Write a commented recipe that runs as it is, on your own text or on a shipped one."""
    from raylm.runs.names import check_run_name

    name = check_run_name(name.removesuffix(".yaml"))
    target = Path(f"{name}.yaml")
    if target.exists():
        raise BadInput.one("NAME", f"{target} exists", "choose another name, or remove it", code="exists")
    text = _shipped(name, starter, data) if starter else _new(name, data)
    with writing("NAME", target):
        target.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {target}; next:")
    for command in ("check", "plan", "train"):
        typer.echo(f"  raylm {command} {target}")


def _new(name: str, data: str | None) -> str:
    from raylm.config.commented import commented_yaml
    from raylm.config.starters import sample_text
    from raylm.recipe import Recipe

    source = _source(data) if data else {"kind": "text", "path": _copied(sample_text(), name)}
    source["licence"] = "unknown" if data else "public domain"
    values = {"name": name, "data": {"sources": [source]}, **_SMALL}
    Recipe.from_values(values)
    return f"# raylm train {name}.yaml\n" + commented_yaml(Recipe.schema(), values)


def _source(data: str) -> dict[str, str]:
    """Return the source of a person's files by their suffix; a folder stands for the text files in it."""
    from raylm.data.files import find_files, source_kind

    path = f"{data.rstrip('/')}/**/*.txt" if Path(data).is_dir() else data
    try:
        find_files([path])
    except BadInput as error:
        raise BadInput.one("--data", error.problems[0].message, error.problems[0].mend, code="data") from None
    return {"kind": source_kind(path), "path": path}


def _copied(text: Path, name: str) -> str:
    """Put a shipped text beside the recipe, where the person can look at it and replace it."""
    target = Path(f"{name}{''.join(text.suffixes)}")
    with writing("NAME", target):
        shutil.copyfile(text, target)
    return str(target)


def _shipped(name: str, starter: str, data: str | None) -> str:
    """Return a shipped recipe's text with its comments, under another name and on a text that is here."""
    from raylm.config.starters import find_starter
    from raylm.config.yaml import load_yaml

    file = find_starter(starter)
    values, text = load_yaml(file).values, file.read_text(encoding="utf-8")
    text = text.replace(f"name: {values['name']}", f"name: {name}")
    sources = values["data"]["sources"]
    lone = file.parent / str(sources[0]["path"]) if len(sources) == 1 else None
    if data and lone:
        return text.replace(f"path: {sources[0]['path']}", f"path: {_source(data)['path']}")
    if lone and lone.is_file() and "target_path" not in sources[0]:
        return text.replace(f"path: {sources[0]['path']}", f"path: {_copied(lone, name)}")
    if data:
        message = f"{starter} reads {len(sources)} sources, which one text cannot replace"
        raise BadInput.one("--data", message, "leave --data out, then edit the recipe", code="starter")
    for folder in sorted({str(Path(path).parent) for path in _files_of(values["data"])}):
        # The licences lie beside the texts and go with them.
        with writing("NAME", folder):
            shutil.copytree(file.parent / folder, folder, dirs_exist_ok=True)
    return text


def _files_of(data: dict[str, Any]) -> Iterator[str]:
    """Yield the files that a shipped recipe names, relative to it."""
    for source in data["sources"]:
        for path in (source["path"], source.get("target_path", ())):
            yield from [path] if isinstance(path, str) else path
    for each in data.get("filters", ()):
        yield from each.get("against", ())
