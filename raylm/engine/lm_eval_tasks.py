"""The same model through EleutherAI's lm-evaluation-harness, on task files of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager

from raylm.config.errors import BadInput
from raylm.data.files import file_digest, files_below
from raylm.engine.benchmark import Plan
from raylm.engine.examinee import Examinee
from raylm.engine.generation import Decoding, texts_of
from raylm.evaluations import Request, Result, Share

_TOKENS = 256  # of an answer, where the task sets no limit of its own


class HarnessModel(LM):
    """A checkpoint as the harness wants it."""

    def __init__(self, examinee: Examinee) -> None:
        super().__init__()
        self._examinee = examinee

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        made = [self._request(each, *each.args) for each in requests]
        return [(each.log_probability, each.is_greedy) for each in self._examinee.scores(made)]

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        """Return the log-likelihood of whole texts, in windows that overlap by half."""
        made = [self._request(each, "", *each.args) for each in requests]
        return [each.log_probability for each in self._examinee.scores(made)]

    def _request(self, instance: Instance, context: str, text: str) -> Request:
        return self._examinee.request(context, text, f"{instance.task_name}:{instance.doc_id}")

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Continue each prompt with the likeliest tokens up to one of the task's ends.

        Raises:
            BadInput: the model does not write from left to right.
        """
        if self._examinee.recipe.objective.head != "causal":
            kind = self._examinee.recipe.objective.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
            message = f"a model trained by {kind} does not continue a prompt"
            raise BadInput.one("--lm-eval", message, "choose tasks of log-likelihoods", code="no_generation")
        return [self._continued(*each.args) for each in requests]

    def _continued(self, prompt: str, options: dict[str, Any]) -> str:
        decoding = Decoding(max_new_tokens=options.get("max_gen_toks", _TOKENS), temperature=0)
        text = texts_of(self._examinee.restored, [prompt], decoding)[0]
        ends = [text.index(end) for end in options.get("until") or [] if end and end in text]
        return text[: min(ends, default=None)]


def plan_tasks(examinee: Examinee, names: Sequence[str], folders: Sequence[str], limit: int | None) -> Plan:
    """Return the plan of some of the harness's tasks.

    Args:
        examinee: the checkpoint.
        names: of tasks or groups.
        folders: with task files (YAML) besides the harness's own.
        limit: rows of each task.

    Raises:
        BadInput: there is no such folder or task.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            mend = "name one with task files"
            raise BadInput.one("--include-path", f"{folder} is no folder", mend, code="folder")
    files = [item.name for folder in folders for item in files_below(folder) if item.name.endswith(".yaml")]
    return Plan(
        kind="lm_eval",
        settings={"tasks": list(names), "limit": limit},
        data={name: file_digest(name, lambda _num_bytes: None) for name in files},
        measure=partial(_measured, examinee, list(names), _tasks(names, folders), limit),
    )


def _tasks(names: Sequence[str], folders: Sequence[str]) -> TaskManager:
    """Return the tasks to choose from; reading all of the harness's own takes seconds."""
    own = TaskManager(include_path=list(folders), include_defaults=False) if folders else None
    if own is not None and not _unknown(names, own):
        return own
    every = TaskManager(include_path=list(folders))
    if unknown := _unknown(names, every):
        mend = "see: lm-eval ls tasks; --include-path DIR adds task files of your own"
        raise BadInput.one("--lm-eval", f"no task {', '.join(unknown)}", mend, code="no_task")
    return every


def _unknown(names: Sequence[str], tasks: TaskManager) -> list[str]:
    return [name for name in names if not tasks.match_tasks([name])]


def _measured(examinee: Examinee, names: list[str], tasks: TaskManager, limit: int | None) -> Result:
    found: Any = simple_evaluate(
        model=HarnessModel(examinee),
        tasks=[*names],
        limit=limit,
        task_manager=tasks,
        bootstrap_iters=0,
        log_samples=False,
    )
    counts = {task: each["effective"] for task, each in found["n-samples"].items()}
    return Result(
        metrics={
            f"{task}/{name}": value
            for task, values in found["results"].items()
            for name, value in _figures(values, counts.get(task)).items()
        },
        counts={f"{task}/num_rows": count for task, count in counts.items()},
        notes=[f"lm-evaluation-harness {metadata.version('lm_eval')}"],
    )


def _figures(values: dict[str, Any], num_rows: int | None) -> dict[str, float | Share]:
    """Return a task's figures under their plain names, "acc,none" as acc; accuracies with their interval."""
    numbers = {
        name.removesuffix(",none"): float(value)
        for name, value in values.items()
        if "," in name and isinstance(value, int | float | np.number)
    }
    return {
        name: Share(round(value * num_rows), num_rows) if name.startswith("acc") and num_rows else value
        for name, value in numbers.items()
    }
