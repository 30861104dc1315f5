"""How good a model's answers to the records of a task are, beside answers that need no model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from raylm.engine.exam import Exam
from raylm.engine.examinee import Examinee
from raylm.evaluations import NUM_EXAMPLES, Result
from raylm.metrics import is_lower_better
from raylm.metrics.judging import breakdown, intervals, length_groups, paired_difference, worst
from raylm.tasks import Judged, Record, Task

_LONGEST = 300  # characters of a field that an example shows


class _Figures(NamedTuple):
    """What answers are worth."""

    judged: Judged
    metrics: dict[str, float]
    """Of all rows, the task's own first."""
    intervals: dict[str, tuple[float, float]]
    """Between which 95 % of resamples lie."""

    @classmethod
    def of(cls, judged: Judged) -> _Figures:
        return cls(judged, judged.metrics(judged.stats.sum(axis=0)), intervals(judged.stats, judged.metrics))

    @property
    def own(self) -> str:
        """The task's own metric."""
        return next(iter(self.metrics))

    def to_json(self) -> dict[str, Any]:
        reach = {name: list(each) for name, each in self.intervals.items()}
        return {"metrics": _without_classes(self.metrics), "intervals": _without_classes(reach)}


def evaluate_task(examinee: Examinee, exam: Exam) -> Result:
    """Return how well a model answers an exam, and how well its task's baselines do.

    Raises:
        BadInput: a package is missing, or the model has no label for a record's.
    """
    respondent = examinee.respondent(exam.task, exam.objective, may_abstain=may_abstain(exam))
    exam.check_labels(respondent.encoder.labels)
    answered = examinee.answers(respondent, exam.records)
    texts = [_given(exam.task, record) for record in exam.records]
    lengths = [sum(map(len, examinee.tokenizer.encode_batch(each))) for each in texts]
    return result_of(exam, answered.answers, lengths, answered.notes)


def _given(task: Task, record: Record) -> list[str]:
    """Return what a model is given: an answer that is a text follows a prompt, any other is about texts."""
    return [task.prompt(record)] if task.answer_kind == "text" else list(task.texts(record))


def may_abstain(exam: Exam) -> bool:
    """Whether records may have no answer: some of those that were learned have none."""
    if exam.task.answer_kind != "span":
        return False
    learned = exam.records if exam.train is None else exam.train
    return any(not record["answers"] for record in learned)


def result_of(
    exam: Exam, answers: Sequence[Any], lengths: Sequence[int], notes: Sequence[str] = ()
) -> Result:
    """Return what answers are worth.

    Args:
        exam: what was asked.
        answers: one for each record.
        lengths: tokens of each record's input.
        notes: what a reader of the numbers must know beside what the exam says.
    """
    task, records = exam.task, exam.records
    found, baselines = _Figures.of(task.judge(records, answers)), _baselines(exam)
    difference = _difference(found, baselines)
    return Result(
        metrics=_without_classes(found.metrics),
        counts={"num_records": len(records), "num_input_tokens": sum(lengths)},
        examples=_examples(exam, answers, found.judged),
        notes=(*exam.notes, *_seen(exam), *notes, *_verdict(difference, task)),
        intervals=_without_classes(found.intervals),
        baselines={name: each.to_json() for name, each in baselines.items()},
        difference=difference,
        breakdowns=_breakdowns(exam, found, length_groups(lengths)),
    )


def _baselines(exam: Exam) -> dict[str, _Figures]:
    if exam.train is None:
        return {}
    answers = exam.task.baselines(exam.train, exam.records)
    return {name: _Figures.of(exam.task.judge(exam.records, each)) for name, each in answers.items()}


def _seen(exam: Exam) -> tuple[str, ...]:
    """Return how many of the records have an input that was learned from, where that is not the purpose."""
    if exam.train is None or exam.settings.get("split") == "train":
        return ()
    learned = {_digest(_given(exam.task, record)) for record in exam.train}
    count = sum(_digest(_given(exam.task, record)) in learned for record in exam.records)
    total = len(exam.records)
    return (f"{count:,} of {total:,} records have an input that the model learned from",) if count else ()


def _digest(texts: Sequence[str]) -> bytes:
    return hashlib.sha256(json.dumps(texts).encode()).digest()


def _without_classes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not of one class: those stand in a breakdown."""
    return {name: value for name, value in values.items() if "/" not in name}


def _difference(found: _Figures, baselines: Mapping[str, _Figures]) -> dict[str, Any]:
    """Return by how much the task's own metric is above the strongest baseline's; nothing without one."""
    if not baselines:
        return {}
    name, other = list(baselines.items())[-1]
    mine = found.judged
    value, low, high = paired_difference(mine.stats, other.judged.stats, mine.metrics, found.own)
    return {"metric": found.own, "baseline": name, "value": value, "low": low, "high": high}


def _verdict(difference: Mapping[str, Any], task: Task) -> tuple[str, ...]:
    """Return what the difference means, where the model was not found to be better."""
    notes = []
    if difference:
        metric, name = difference["metric"], difference["baseline"]
        is_lower = is_lower_better(metric)
        low, high = (difference[end] * (-1 if is_lower else 1) for end in ("low", "high"))
        if max(low, high) < 0:
            notes.append(
                f"the model is worse than {name}: its {metric} is {'higher' if is_lower else 'lower'}"
            )
        elif min(low, high) <= 0:
            notes.append(f"the model is no better than {name}: the difference in {metric} may be chance")
    if difference and task.answer_kind == "likelihood":
        notes.append(
            "loss and perplexity are of tokens, which baselines cut otherwise: compare bits_per_byte"
        )
    return tuple(notes)


def _breakdowns(exam: Exam, found: _Figures, lengths: Sequence[str]) -> dict[str, Any]:
    by_length = breakdown(found.judged.stats, found.judged.metrics, lengths)
    parts = {
        "class": _by_class(exam, found),
        "input length": {part: _without_classes(each) for part, each in by_length.items()},
    }
    return {name: each for name, each in parts.items() if len(each) > 1}


def _by_class(exam: Exam, found: _Figures) -> dict[str, dict[str, Any]]:
    """Return what is known of each class, the most frequent first.

    That is the task's own metric over the rows of the class, and metrics over all rows that are called
    `name/class`, with their intervals.
    """
    task, judged = exam.task, found.judged
    counts = Counter(name for record in exam.records for name in set(task.label_names(record)))
    groups = breakdown(judged.stats, judged.metrics, [task.group(record) for record in exam.records])
    parts: dict[str, dict[str, Any]] = {
        group: {found.own: each[found.own], "num_rows": each["num_rows"]} for group, each in groups.items()
    }
    for name, value in found.metrics.items():
        metric, slash, group = name.partition("/")
        if slash:
            low, high = found.intervals[name]
            count = {"num_rows": counts[group]} if group in counts else {}
            parts.setdefault(group, {}).update({metric: value, "low": low, "high": high, **count})
    return dict(sorted(parts.items(), key=lambda item: -item[1].get("num_rows", 0)))


def _examples(exam: Exam, answers: Sequence[Any], judged: Judged) -> list[dict[str, Any]]:
    """Return the records that were answered worst, the worst first."""
    return [
        {
            "place": exam.places[number],
            "record": _short(exam.records[number]),
            "answer": shortened(answers[number]),
            "quality": float(judged.quality[number]),
        }
        for number in worst(judged.quality, NUM_EXAMPLES)
    ]


def _short(record: Record) -> dict[str, Any]:
    return {name: shortened(value) for name, value in record.items()}


def shortened(value: Any, length: int = _LONGEST) -> Any:
    """Return a JSON value of about so many characters; what was left out of it shows as an ellipsis."""
    if isinstance(value, str):
        return value if len(value) <= length else f"{value[:length]}…"
    if isinstance(value, Mapping):
        return {name: shortened(each, length) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    kept: list[Any] = []
    for each in value:
        if length <= 0:
            return [*kept, "…"]
        kept.append(shortened(each, length))
        length -= len(json.dumps(kept[-1], ensure_ascii=False))
    return kept
