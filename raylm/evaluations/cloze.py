"""Cloze: is the last word of a passage foreseen? (LAMBADA, Paperno et al. 2016)."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from raylm.data.field_rows import FieldRow, field_rows
from raylm.evaluations import NUM_EXAMPLES, Evaluation, Examinee, Result, Share, sampled


class _Passage(NamedTuple):
    context: str
    target: str
    origin: str


class Cloze(Evaluation):
    """Passages whose last word, or another target, the model is to go on with."""

    kind: Literal["cloze"] = "cloze"
    text_field: str = "text"
    """The field of the passage; its last word is the target."""
    context_field: str | None = None
    """Instead of text_field: the field of what comes before the target."""
    target_field: str | None = None
    """With context_field: the field of the target; a blank is put before it if none stands there."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.context_field is None) != (self.target_field is None):
            raise ValueError("give context_field and target_field, or neither")
        return self

    def run(self, examinee: Examinee) -> Result:
        passages = [self._passage(row) for row in sampled(field_rows(self), self.limit)]
        requests = [examinee.request(*each) for each in passages]
        scores = examinee.scores(requests)
        nats = -sum(each.log_probability for each in scores) / len(scores)
        kind = "" if examinee.scores_in_order else "pseudo_"
        hard = sorted(zip(scores, passages, strict=True), key=lambda pair: pair[0].log_probability)
        return Result(
            metrics={
                "accuracy": Share.of(each.is_greedy for each in scores),
                f"{kind}target_loss": nats,
                f"{kind}target_perplexity": math.exp(min(nats, 700.0)),
            },
            counts={"num_passages": len(scores), "num_tokens": sum(each.num_tokens for each in scores)},
            examples=[
                {**passage._asdict(), "context": passage.context[-200:], "log_probability": s.log_probability}
                for s, passage in hard[:NUM_EXAMPLES]
            ],
            notes=() if examinee.scores_in_order else (_SEES_TARGET,),
        )

    def _passage(self, row: FieldRow) -> _Passage:
        if self.context_field is not None and self.target_field is not None:
            context = row.text(self.context_field, "context_field")
            target = row.text(self.target_field, "target_field")
            has_blank = target[:1].isspace() or context[-1:].isspace() or not context
            return _Passage(context, target if has_blank else f" {target}", row.origin)
        text = row.text(self.text_field, "text_field").rstrip()
        context, _, word = text.rpartition(" ")
        if not context.strip():
            raise row.bad("text_field", "one word alone has no context", "write a passage of words")
        return _Passage(context, f" {word}", row.origin)


_SEES_TARGET = (
    "each token of a target is guessed with the target's other tokens in sight, before and after it"
)
