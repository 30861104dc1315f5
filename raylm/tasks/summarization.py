"""Summarization: the few sentences that say what a document is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.data.sentences import sentence_starts
from raylm.data.text_to_text import SourceToTarget, checked, target_of, targets, value_of
from raylm.metrics.overlap import rouge_metrics, rouge_stats
from raylm.tasks import AnswerKind, Judged, Record, Task


class Summarization(SourceToTarget, Task):
    """Documents and their summaries, judged by ROUGE."""

    kind: Literal["summarization"] = "summarization"
    source_field: str = "document"
    """The field of the document: a text, or a list of its sentences."""
    target_field: str = "summary"
    """The field of the summary: a text, or a list of texts of which each is right."""
    prompt_template: str = knob("summarize: {source}", group="Prompt")
    """What the model is given: a text with {source} in it (Raffel et al. 2020, section 2.4)."""
    max_answer_tokens: int = knob(128, unit="tokens", ge=1, le=10**6)
    """The longest summary that is written."""

    objectives: ClassVar[tuple[str, ...]] = ("seq2seq", "supervised")
    answers: ClassVar[AnswerKind] = "text"

    def record(self, values: Mapping[str, Any]) -> Record:
        value = value_of(values, self.source_field)
        target = target_of(values, self.target_field)
        if not isinstance(value, list):
            return {"source": checked(value, self.source_field), **target}
        names = (f"{self.source_field}.{number}" for number in range(len(value)))
        # A sentence that is blank is none; a summary or a text that is blank is a mistake.
        sentences = [
            checked(each, name)
            for each, name in zip(value, names, strict=True)
            if not isinstance(each, str) or each.strip()
        ]
        return {"source": checked(" ".join(sentences), self.source_field), "sentences": sentences, **target}

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        stats = rouge_stats(answers, [targets(record) for record in records])
        return Judged(stats, rouge_metrics, stats[:, 0])

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        del train
        return {"lead-1": [_first_sentence(record) for record in records]}


def _first_sentence(record: Record) -> str:
    if "sentences" in record:
        return record["sentences"][0]
    text = record["source"].strip()
    return text[: next(iter(sentence_starts(text)), None)]
