"""The model card of an exported checkpoint: what it is, what it can do, and whose texts it learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from raylm.config.yaml import dump_yaml, parse_yaml
from raylm.data.ledger import removed_documents
from raylm.data.report.words import grouped, num_bytes, plain, shown
from raylm.engine.card_facts import limits, metrics, model_facts, recipe_facts, use
from raylm.engine.markdown import as_code as _code
from raylm.engine.markdown import as_row as _row
from raylm.engine.markdown import as_text as _text
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

_HEAD = """---
library_name: transformers
tags:
- raylm
---
"""
_COLUMNS = ("Source", "Licence", "Origin", "Retrieved", "Documents", "Text", "Tokens", "Removed by filters")


def model_card(run: Run, checkpoint: Checkpoint, *, is_apart: bool = False) -> str:
    """Return the README.md of an exported checkpoint, in Markdown; `is_apart`: of an adapter alone."""
    facts = checkpoint.facts
    recipe = parse_yaml(run.recipe_yaml(), "recipe.yaml").values
    told = dump_yaml(recipe_facts(recipe)).rstrip().split("\n")
    losses = [
        f"{_text(name)} {value:.4f}"
        for name, value in (facts.get("metrics") or {}).items()
        if name.endswith("loss") and isinstance(value, int | float)
    ]
    progress = f"step {grouped(checkpoint.step)}, {grouped(facts['tokens_seen'])} tokens seen"
    lines = [
        f"# {_text(run.name)}",
        "",
        f"Exported from the run {_text(run.run_id)} at {', '.join([progress, *losses])}.",
        *_section("Model", model_facts(run, recipe)),
        *_section("Use", use(run, is_apart=is_apart)),
        *_section("Metrics", metrics(run, checkpoint)),
        *_section("Training data", _training_data(facts)),
        *_section("Limits", limits(recipe, facts)),
        *_section("Recipe", ["````yaml", *map(shown, told), "````"]),
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> Iterable[str]:
    yield from ("", f"## {title}", "", *lines)


def _training_data(facts: Mapping[str, Any]) -> Iterable[str]:
    ledger = facts.get("ledger")
    if ledger is None:
        yield "The checkpoint carries no ledger of its training data."
    else:
        yield from _ledger(ledger)
    for number, earlier in enumerate(reversed(facts.get("earlier_ledgers") or ())):
        yield from ("", "### Before that" if number else "### Before the fork", "")
        yield from _ledger(earlier)


def _ledger(ledger: Mapping[str, Any]) -> Iterable[str]:
    sources = ledger["sources"]
    total = sum(sum(source["tokens"].values()) for source in sources)
    licences = sorted({_text(source["licence"]) for source in sources})
    yield f"Dataset {_code(ledger['digest'])}: {grouped(total)} tokens; licences: {', '.join(licences)}."
    yield ""
    yield _row(_COLUMNS)
    yield _row("---" for _ in _COLUMNS)
    for source in sources:
        yield _row(_cells(source))
    if ledger["filters"]:
        yield ""
        yield f"Filters, in this order: {', '.join(_text(plain(kind)) for kind in ledger['filters'])}."


def _cells(source: Mapping[str, Any]) -> Iterable[str]:
    yield from (_text(source[name]) or "-" for name in ("name", "licence", "origin", "retrieved"))
    yield f"{grouped(source['documents'])} of {grouped(source['read']['documents'])}"
    yield f"{num_bytes(source['bytes'])} of {num_bytes(source['read']['bytes'])}"
    yield grouped(sum(source["tokens"].values()))
    reasons = [
        f"{grouped(count)} {_text(plain(reason))}"
        for counts in source["removed"].values()
        for reason, count in counts.items()
    ]
    yield ", ".join(reasons) if removed_documents(source) else "none"
