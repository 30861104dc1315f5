"""Minimal pairs: is the acceptable sentence the likelier one? (BLiMP, Warstadt et al. 2020)."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, NamedTuple

from raylm.config.sections import knob
from raylm.data.field_rows import FieldRow, field_rows
from raylm.evaluations import NUM_EXAMPLES, Evaluation, Examinee, Result, Share, sampled


class _Judged(NamedTuple):
    """A pair, and by how many nats the good sentence is the likelier one."""

    good: str
    bad: str
    group: str
    origin: str
    margin: float


class MinimalPairs(Evaluation):
    """Pairs of sentences, one good and one bad; the whole sentences' log-probabilities are compared."""

    kind: Literal["minimal_pairs"] = "minimal_pairs"
    good_field: str = "sentence_good"
    """The field of the acceptable sentence."""
    bad_field: str = "sentence_bad"
    """The field of the other one."""
    group_field: str = knob("UID")
    """The field by which results are broken down; the file's name where rows have no such field."""

    def run(self, examinee: Examinee) -> Result:
        judged = self._judged(sampled(field_rows(self), self.limit), examinee)
        groups: dict[str, list[bool]] = defaultdict(list)
        for each in judged:
            groups[each.group].append(each.margin > 0)
        lost = sorted((each for each in judged if each.margin <= 0), key=lambda each: each.margin)
        return Result(
            metrics={"accuracy": Share.of((each.margin > 0 for each in judged), chance=0.5)},
            counts={"num_pairs": len(judged), "num_ties": sum(each.margin == 0 for each in judged)},
            breakdown={name: Share.of(groups[name]).to_json() for name in sorted(groups)},
            examples=[each._asdict() for each in lost[:NUM_EXAMPLES]],
            notes=("a tie counts as wrong",) if any(each.margin == 0 for each in judged) else (),
        )

    def _judged(self, rows: list[FieldRow], examinee: Examinee) -> list[_Judged]:
        names = (self.good_field, "good_field"), (self.bad_field, "bad_field")
        pairs = [[row.text(name, setting) for name, setting in names] for row in rows]
        requests = [
            examinee.request("", text, row.origin)
            for row, pair in zip(rows, pairs, strict=True)
            for text in pair
        ]
        scores = [each.log_probability for each in examinee.scores(requests)]
        margins = [good - bad for good, bad in zip(scores[::2], scores[1::2], strict=True)]
        return [
            _Judged(pair[0], pair[1], str(row.values.get(self.group_field, row.file)), row.origin, margin)
            for row, pair, margin in zip(rows, pairs, margins, strict=True)
        ]
