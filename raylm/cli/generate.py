"""`raylm generate`: text from a checkpoint."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from raylm.cli.options import AsJson, Storage, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(generate)


def generate(
    run: Annotated[str, typer.Argument(metavar="RUN[@STEP]", help="A run, and perhaps a checkpoint of it.")],
    prompt: Annotated[str, typer.Option(help="How the text begins.")] = "",
    *,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens to add.")] = 200,
    temperature: Annotated[float, typer.Option(min=0.0, max=10.0, help="0 takes the likeliest token.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(min=1, help="Draw from the k likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(min=1e-6, max=1.0, help="Draw from the likeliest share.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Repeats a text.")] = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Continue a prompt with a trained model, printing as it is written."""
    from raylm.runs.catalogue import find

    found, step = find(run, [storage] if storage else None)
    from raylm.engine.generate import Sampling, stream
    from raylm.engine.restore import restore

    restored = restore(found, step)
    sampling = Sampling(max_new_tokens, temperature, top_k, top_p, seed)
    pieces = stream(restored.model, restored.tokenizer, prompt, sampling)
    if as_json:
        print_json(
            {"run_id": found.run_id, "step": restored.checkpoint.step, "text": prompt + "".join(pieces)}
        )
        return
    sys.stdout.write(prompt)
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
