"""Code explanation: what a piece of code does, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.data.text_to_text import SourceToTarget, targets
from raylm.metrics.overlap import rouge_metrics, rouge_stats
from raylm.tasks import AnswerKind, Judged, Record, Task

_DEFINED = re.compile(r"\b(?:def|function|func|fn|fun|sub|class)\s+(?:\([^)]*\)\s*)?([A-Za-z_]\w*)")
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(")  # in languages where types stand before a function's name
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class CodeExplanation(SourceToTarget, Task):
    """Pieces of code and their descriptions, judged by ROUGE."""

    kind: Literal["code_explanation"] = "code_explanation"
    source_field: str = "code"
    """The field of the code, of any programming language."""
    target_field: str = "description"
    """The field of the description: a text, or a list of texts of which each is right."""
    prompt_template: str = knob("explain: {source}", group="Prompt")
    """What the model is given: a text with {source} in it."""

    objectives: ClassVar[tuple[str, ...]] = ("seq2seq", "supervised")
    answers: ClassVar[AnswerKind] = "text"

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        stats = rouge_stats(answers, [targets(record) for record in records])
        return Judged(stats, rouge_metrics, stats[:, 0])

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        del train
        return {"the function's name in words": [_name_in_words(record["source"]) for record in records]}


def _name_in_words(code: str) -> str:
    """Return "read json file" for code that defines read_json_file or readJSONFile; "" for none."""
    found = _DEFINED.search(code) or _CALLED.search(code)
    return " ".join(_PART.findall(found[1])).lower() if found else ""
