"""`raylm generate`: text from a checkpoint."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raylm.cli.options import AsJson, Storage, print_json
from raylm.cli.tables import print_table
from raylm.config.errors import BadInput
from raylm.config.fields import bounds
from raylm.engine.generation.decoding import Chunk, Decoding
from raylm.runs.read import clean

if TYPE_CHECKING:
    from raylm.engine.generation.writer import Writer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(generate)


def _knob(name: str) -> Any:
    """Return the option of a field of `Decoding`, with its help and its limits."""
    found = Decoding.model_fields[name]
    limits = bounds(found)
    return typer.Option(
        min=limits.get("ge"),
        max=limits.get("le", limits["lt"] - 1 if "lt" in limits else None),
        help=found.description,
    )


def generate(
    run: Annotated[str, typer.Argument(metavar="RUN[@STEP]", help="A run, and perhaps a checkpoint of it.")],
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="How the text begins, or what to fill in; may be given several times."),
    ] = None,
    *,
    prompts: Annotated[Path | None, typer.Option(metavar="FILE", help="Prompts, one a line.")] = None,
    max_new_tokens: Annotated[int, _knob("max_new_tokens")] = 200,
    temperature: Annotated[float, _knob("temperature")] = 0.8,
    top_k: Annotated[int | None, _knob("top_k")] = None,
    top_p: Annotated[float | None, _knob("top_p")] = None,
    num_beams: Annotated[int, _knob("num_beams")] = 1,
    seed: Annotated[int | None, _knob("seed")] = None,
    top_predictions: Annotated[int, _knob("top_predictions")] = 5,
    passage: Annotated[str | None, _knob("passage")] = None,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Answer requests in JSON lines on the standard input.")
    ] = False,
    idle_seconds: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="With --stdio: end after so long without a request.")
    ] = 300.0,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Ask a trained model: it goes on from prompts, fills in their masks or spans, or classifies them."""
    if stdio:
        _serve(run, storage, idle_seconds, given=prompt or prompts)
        return
    decoding = Decoding.checked({
        "max_new_tokens": max_new_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "num_beams": num_beams, "seed": seed, "top_predictions": top_predictions, "passage": passage,
    })  # fmt: skip
    texts = [*(prompt or []), *_lines(prompts)] or [""]
    writer, facts = _writer(run, storage)
    chunks = writer.write(texts, decoding, lambda: False)
    if as_json:
        print_json({**facts, **_collected(chunks, texts, continues=writer.continues)})
    elif len(texts) == 1:
        _print_one(chunks, texts[0] if writer.continues else "")
    else:
        _print_several(chunks, texts, continues=writer.continues)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        found = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput.one("--prompts", f"cannot read {path}: {error}", "name a UTF-8 text file") from None
    if not found:
        raise BadInput.one("--prompts", f"{path} holds no prompt", "write one a line", code="empty")
    return found


def _writer(run: str, storage: str | None) -> tuple[Writer, dict[str, Any]]:
    """Return what writes, and which checkpoint it is."""
    from raylm.runs.catalogue import find

    found, step = find(run, [storage] if storage else None)
    from raylm.engine.writer_of_run import writer_of_run

    writer, step = writer_of_run(found, step)
    return writer, {"run_id": found.run_id, "step": step}


def _serve(run: str, storage: str | None, idle_seconds: float, *, given: Any) -> None:
    if given:
        message = "with --stdio, prompts arrive on the standard input"
        raise BadInput.one("--prompt", message, "leave it out", code="both")
    from raylm.engine.generation.inbox import Inbox
    from raylm.engine.generation.stdio import Channel, Service

    channel = Channel()
    try:
        writer, facts = _writer(run, storage)
    except BadInput as error:
        channel.send_problem(None, error.problems[0])
        raise
    Service(writer, Inbox(0), channel, idle_seconds).serve(**facts)


def _collected(chunks: Iterator[Chunk], prompts: Sequence[str], *, continues: bool) -> dict[str, Any]:
    """Return the whole text of one prompt with what is known besides, or a list of several."""
    texts = [prompt if continues else "" for prompt in prompts]
    details: list[dict[str, Any]] = [{} for _ in prompts]
    for chunk in chunks:
        texts[chunk.prompt] += chunk.text
        details[chunk.prompt] |= chunk.details
    if len(prompts) > 1:
        rows = zip(prompts, texts, details, strict=True)
        return {"texts": [{"prompt": prompt, "text": text, **more} for prompt, text, more in rows]}
    known = {name: value for name, value in details[0].items() if name not in ("reason", "num_tokens")}
    return {"text": texts[0], **known}


def _print_one(chunks: Iterator[Chunk], begun: str) -> None:
    """Print a text as it is written."""
    _show(begun)
    details: dict[str, Any] = {}
    for chunk in chunks:
        _show(chunk.text)
        details |= chunk.details
    _show("\n")
    _print_details(details)


def _print_several(chunks: Iterator[Chunk], prompts: Sequence[str], *, continues: bool) -> None:
    """Print each text once all are written, as they are written together."""
    collected = _collected(chunks, prompts, continues=continues)["texts"]
    for number, row in enumerate(collected, 1):
        typer.echo(f"--- {number} of {len(prompts)}")
        _show(row["text"] + "\n")
        _print_details(row)


def _print_details(details: dict[str, Any]) -> None:
    """Print the candidates of each mask, the classes of a text, and a prompt with its spans filled in."""
    rows = [
        [f"mask {number}", f"{one['probability']:.2%}", repr(one["text"])]
        for number, candidates in enumerate(details.get("masks", ()), 1)
        for one in candidates
    ]
    if rows:
        print_table(["mask", "probability", "text"], rows)
    if labels := details.get("labels"):
        print_table(["class", "probability"], [[one["text"], f"{one['probability']:.2%}"] for one in labels])
    if "filled" in details:
        _show(f"filled in: {details['filled']}\n")


def _show(text: str) -> None:
    """Write text to the standard output; a terminal gets no control sequences of a model's making."""
    if sys.stdout.isatty():
        text = "\n".join(clean(line) for line in text.split("\n"))
    sys.stdout.write(text)
    sys.stdout.flush()
