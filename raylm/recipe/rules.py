"""What must hold between sections that are each right on their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from raylm.config import BadInput, Problem
from raylm.config.vocabulary import Vocabulary
from raylm.data.shares import weight_problem
from raylm.models import ModelFamily
from raylm.objectives import Frame, Objective
from raylm.recipe.sections import Sections
from raylm.runs.names import check_run_name
from raylm.tasks import Task


def token_problems(recipe: Sections, vocabulary: Vocabulary) -> Iterable[Problem]:
    """Yield why the objective can make no batch with a tokenizer of these special tokens."""
    frame = Frame(recipe.train.sequence_length, recipe.train.seed, vocabulary)
    usual = recipe.model.usual_tokenizer({}).get("special_tokens", "")
    for problem in recipe.objective.problems(frame):
        is_open = problem.code == "special_tokens" and usual
        yield replace(problem, mend=f"set tokenizer.special_tokens={usual}") if is_open else problem


def _name_rule(recipe: Sections) -> Iterable[Problem]:
    try:
        check_run_name(recipe.name)
    except BadInput as error:
        yield from error.problems


def _batch_rule(recipe: Sections) -> Iterable[Problem]:
    try:
        recipe.train.micro_batch(max(1, recipe.scaling.num_workers))
    except BadInput as error:
        yield from error.problems


def _warmup_rule(recipe: Sections) -> Iterable[Problem]:
    warmup, decay = recipe.schedule.warmup_steps, recipe.schedule.decay_steps
    limit, steps = _known_steps(recipe)
    if steps is not None and warmup > steps:
        message = f"{warmup} is more than the run's {steps} steps ({limit})"
        yield Problem("schedule.warmup_steps", message, f"try {steps // 20}", code="warmup")
    if decay is not None and decay <= warmup:
        message = f"{decay} must be more than schedule.warmup_steps ({warmup})"
        yield Problem("schedule.decay_steps", message, code="decay")


def _period_rules(recipe: Sections) -> Iterable[Problem]:
    limit, steps = _known_steps(recipe)
    for name, section in (("checkpoint", recipe.checkpoint), ("evaluate", recipe.evaluate)):
        period = section.every_steps
        # A default period longer than a short run is no mistake of the person's.
        is_chosen = period != type(section).model_fields["every_steps"].default
        if steps is not None and period is not None and is_chosen and period > steps:
            message = f"{period} is more than the run's {steps} steps ({limit})"
            yield Problem(f"{name}.every_steps", message, f"try {max(1, steps // 4)}", code="period")


def _rate_rule(recipe: Sections) -> Iterable[Problem]:
    lowest, peak = recipe.schedule.min_learning_rate, recipe.optimizer.learning_rate
    if lowest > peak:
        message = f"{lowest:g} is more than optimizer.learning_rate ({peak:g})"
        yield Problem("schedule.min_learning_rate", message, f"try {peak / 10:g}", code="learning_rate")


def _target_rule(recipe: Sections) -> Iterable[Problem]:
    if recipe.train.target_loss is None:
        return
    if recipe.evaluate.every_steps is None:
        message = "compares eval/loss, which is computed at the end only"
        yield Problem("train.target_loss", message, "give evaluate.every_steps", code="target_loss")
    if recipe.data.path is None and not recipe.data.validation_share:
        message = "compares eval/loss, but data.validation_share is 0"
        yield Problem("train.target_loss", message, "try data.validation_share=0.1", code="target_loss")


def _weight_rule(recipe: Sections) -> Iterable[Problem]:
    # A given dataset may hold sources that the recipe does not list: it is checked when it is opened.
    problem = None if recipe.data.path else weight_problem(recipe.data)
    if problem is not None:
        yield problem


def _fit_rule(recipe: Sections) -> Iterable[Problem]:
    """The model must have what the objective needs on top."""
    model, objective = recipe.model, recipe.objective
    if objective.head in model.heads:
        return
    if recipe.task is not None:
        yield _task_fit(recipe, recipe.task)
        return
    texts = {kind: cls for kind, cls in Objective.kinds.items() if not cls.learns_task}  # pyright: ignore[reportAttributeAccessIssue] - an objective's class
    fits = [kind for kind, cls in sorted(texts.items()) if cls.head in model.heads]  # pyright: ignore[reportAttributeAccessIssue] - an objective's class
    others = [kind for kind, cls in sorted(ModelFamily.kinds.items()) if objective.head in cls.heads]  # pyright: ignore[reportAttributeAccessIssue] - a family's class
    message = f"{_kind(objective)} does not fit the model {_kind(model)}"
    mend = f"{_kind(model)} takes {', '.join(fits)}; {_kind(objective)} takes {', '.join(others)}"
    yield Problem("objective.kind", message, mend, code="fit")


def _task_fit(recipe: Sections, task: Task) -> Problem:
    """Return that a task does not fit the model, with what each of them takes."""

    def heads(kind: Any) -> set[str]:
        own = {} if kind is not type(task) else task.model_dump()
        return {Objective.kinds[each].head for each in kind.usual_objectives(own)}  # pyright: ignore[reportAttributeAccessIssue] - an objective's class

    able = [kind for kind, cls in sorted(Task.kinds.items()) if heads(cls) & set(recipe.model.heads)]
    families = [kind for kind, cls in sorted(ModelFamily.kinds.items()) if heads(type(task)) & set(cls.heads)]  # pyright: ignore[reportAttributeAccessIssue] - a family's class
    message = f"{_kind(task)} does not fit the model {_kind(recipe.model)}"
    mend = f"{_kind(recipe.model)} takes {', '.join(able)}; {_kind(task)} takes {', '.join(families)}"
    return Problem("task.kind", message, mend, code="fit")


def _objective_rule(recipe: Sections) -> Iterable[Problem]:
    """The tokenizer must have the special tokens that the objective needs, and rows room for them."""
    if recipe.objective.head not in recipe.model.heads:
        return  # one mistake, one message
    length, shortest = recipe.train.sequence_length, recipe.objective.shortest
    if length < shortest:
        message = f"{length} tokens leave {_kind(recipe.objective)} nothing to predict"
        yield Problem("train.sequence_length", message, f"try {max(64, shortest)}", code="length")
        return
    vocabulary = None if recipe.data.path else recipe.tokenizer.special_vocabulary()
    if vocabulary is not None:
        yield from token_problems(recipe, vocabulary)


def _task_rule(recipe: Sections) -> Iterable[Problem]:
    """Rows that have answers need an objective that learns them, and the other way round."""
    task, objective = recipe.task, recipe.objective
    if task is None:
        if objective.learns_task:
            mend = f"give a task; raylm has {', '.join(sorted(Task.kinds))}"
            yield Problem("task", f"{_kind(objective)} learns the rows of a task", mend, code="task")
        return
    able = task.usual_objectives(task.model_dump())
    if _kind(objective) not in able:
        message = f"{_kind(objective)} does not learn {_kind(task)}"
        yield Problem("objective.kind", message, f"leave it out, or set {' or '.join(able)}", code="fit")
    if recipe.data.split_by != "document":
        message = "position cuts texts; the rows of a task are drawn whole"
        yield Problem("data.split_by", message, "leave it out", code="task")
    if objective.keeps_documents_apart and recipe.data.packing == "stream":
        message = "stream cuts texts anywhere; the rows of a task stay whole"
        yield Problem("data.packing", message, "leave it out, or set best_fit or document", code="task")


def _init_rule(recipe: Sections) -> Iterable[Problem]:
    if recipe.adapter is not None and recipe.init is None:
        message = f"{_kind(recipe.adapter)} adapts a model that has learned something, and weights are random"
        yield Problem("adapter.kind", message, "give init.from, or leave the adapter out", code="adapter")
    if recipe.adapter is not None and recipe.adapter.is_quantized:
        yield from _quantized(recipe, _kind(recipe.adapter))


def _quantized(recipe: Sections, kind: str) -> Iterable[Problem]:
    """Weights are stored in fewer bits as a folder is read, for models that write, by each worker alone."""
    if recipe.init is not None and recipe.init.run() is not None:
        mend = "export the run and begin with the folder: raylm checkpoints export RUN --to FOLDER"
        yield Problem("init.from", f"{kind} reads its weights from a folder", mend, code="adapter")
    if recipe.objective.head not in ("causal", "seq2seq"):
        message = f"{kind} adapts models that write; this one has a head of its own to learn"
        yield Problem("adapter.kind", message, "use lora", code="adapter")
    if recipe.scaling.strategy == "fsdp":
        message = f"{kind} keeps the whole model in each worker, fsdp shares it among them"
        yield Problem("scaling.strategy", message, "use ddp", code="adapter")


def _metric_rule(recipe: Sections) -> Iterable[Problem]:
    """Stopping early and keeping the best need evaluations on the way."""
    section = recipe.evaluate
    asked = (
        "evaluate.patience"
        if section.patience
        else "checkpoint.keep_best"
        if recipe.checkpoint.keep_best
        else ""
    )
    if asked and section.every_steps is None:
        message = f"compares {section.metric}, which is computed at the end only"
        yield Problem(asked, message, "give evaluate.every_steps", code="metric")
    known = [f"eval/{name}" for name in ("loss", *recipe.objective.weights())]
    if (
        asked
        and section.metric not in known
        and section.metric not in ("eval/perplexity", "eval/bits_per_byte")
    ):
        listed = ", ".join(dict.fromkeys(known))
        message = f"{section.metric} is not computed while {_kind(recipe.objective)} trains"
        yield Problem("evaluate.metric", message, f"there are {listed}", code="metric")


def _apart_rule(recipe: Sections) -> Iterable[Problem]:
    data = recipe.data
    is_apart = data.packing != "document" and not data.attend_across_documents
    if is_apart and not recipe.objective.keeps_documents_apart:
        able = [kind for kind, cls in sorted(Objective.kinds.items()) if cls.keeps_documents_apart]  # pyright: ignore[reportAttributeAccessIssue] - an objective's class
        message = f"false is more than {_kind(recipe.objective)} can do with several documents in a row"
        mend = f"set data.packing=document, or train {' or '.join(able)}"
        yield Problem("data.attend_across_documents", message, mend, code="packing")


def _kind(choice: Any) -> str:
    return choice.kind


def _known_steps(recipe: Sections) -> tuple[str, int | None]:
    """Return the field that limits the run and its steps; None while the number of rows decides."""
    train = recipe.train
    if train.epochs is not None:
        return "train.epochs", None
    return "train.max_steps" if train.max_steps else "train.max_tokens", train.num_steps(num_rows=0)


RULES = (
    _name_rule,
    _batch_rule,
    _warmup_rule,
    _period_rules,
    _rate_rule,
    _target_rule,
    _weight_rule,
    _fit_rule,
    _objective_rule,
    _task_rule,
    _init_rule,
    _metric_rule,
    _apart_rule,
)
