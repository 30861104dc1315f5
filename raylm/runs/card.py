"""What a notebook shows of a run and of a checkpoint."""

import math
from typing import Any

from raylm.config.amounts import size_text
from raylm.config.card import Card, State
from raylm.runs.status import Status

_GOOD, _BAD = "var(--jp-success-color1,#388e3c)", "var(--jp-error-color1,#d32f2f)"
_BUSY = "var(--jp-brand-color1,#1976d2)"
_STATES = {
    "running": State("running", "▸", _BUSY),
    "pending": State("pending", "◌", _BUSY),
    "stopping": State("stopping", "◍", _BUSY),
    "stopped": State("stopped", "■"),
    "finished": State("finished", "✓", _GOOD),
    "failed": State("failed", "✕", _BAD),
    "preempted": State("preempted", "»"),
    "lost": State("lost", "?", _BAD),
}
_FOLLOW = ("raylm runs logs {run} --follow", "raylm runs stop {run}")
_CONTINUE = ("raylm runs resume {run}", "raylm runs logs {run}")
_USE = ("raylm checkpoints list {run}", "raylm checkpoints export {run} --to FOLDER")
_CORRUPT = State("bad", "✕", _BAD)
_EVALUATE = ("raylm evaluate {}", "raylm checkpoints export {} --to FOLDER")
_CHECKPOINT = {"good": _EVALUATE, "unverified": ("raylm checkpoints verify {}", *_EVALUATE)}


def run_card(run_id: str, uri: str, status: Status, newest: dict[str, Any]) -> Card:
    """Return what is shown of a run; `newest` is the last record of its curve, or nothing."""
    of = f" of {status.max_steps:,}" if status.max_steps else ""
    after = _FOLLOW if status.is_live else _USE if status.status == "finished" else _CONTINUE
    return Card(
        f"Run {run_id}",
        [
            ("step", f"{status.step:,}{of}"),
            ("loss", _number(newest.get("train/loss"))),
            ("why", f"{status.reason}{f'; {status.mend}' if status.mend else ''}"),
            ("in", uri),
        ],
        _STATES.get(status.status, State(status.status)),
        status.step / status.max_steps if status.max_steps else None,
        [*(line.format(run=run_id) for line in after), f'raylm.cockpit(run_id="{run_id}")'],
        ("step", "loss", "in"),
    )


def checkpoint_card(step: int, uri: str, state: str, num_bytes: int, facts: dict[str, Any]) -> Card:
    """Return what is shown of a checkpoint in `<run>/checkpoints/step-...`."""
    metrics, tokens = facts.get("metrics") or {}, facts.get("tokens_seen")
    what = f"{uri.rpartition('/checkpoints/')[0].rpartition('/')[2]}@{step}"
    word, _, why = state.partition(": ")
    verified = {"good": "every byte", "unverified": "names and sizes only"}
    return Card(
        f"Checkpoint {what}",
        [
            ("loss", _number(metrics.get("train/loss"))),
            ("eval loss", _number(metrics.get("eval/loss"))),
            ("tokens seen", f"{tokens:,}" if isinstance(tokens, int) else ""),
            ("size", size_text(num_bytes) if num_bytes else ""),
            ("verified", verified.get(word, "")),
            ("why", why),
            ("in", uri),
        ],
        {"good": State("good", "✓", _GOOD), "unverified": State("unverified", "◌")}.get(word, _CORRUPT),
        None,
        [line.format(what) for line in _CHECKPOINT.get(word, ())],
        ("loss", "eval loss", "size", "why"),
    )


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) and math.isfinite(value) else ""
