"""Sequence classification: which class, which classes or which number a text, or a pair of texts, has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from raylm.config.near import did_you_mean
from raylm.config.sections import knob
from raylm.data.records import FieldText, NoTextError, look_up, type_name
from raylm.data.row_task import refuse_one_label
from raylm.tasks import AnswerKind, Encoded, Judged, Record, Task

if TYPE_CHECKING:
    from raylm.data.text_encoder import TextEncoder

_INT64 = range(-(2**63), 2**64)
_COMMON = 0.5  # of the training rows; labels that more rows have are said of every row


class SequenceClassification(Task):
    """Texts with a class, with several or with a number."""

    kind: Literal["sequence_classification"] = "sequence_classification"
    text_field: str = "text"
    """The field of the text."""
    pair_field: str | None = None
    """The field of a second text, for tasks about two, such as whether one follows from the other."""
    label_field: str = "label"
    """The field of the label: a name, a number that counts labels from 0, or what the other fields say."""
    labels: tuple[str, ...] = ()
    """Names of the labels, in the order of their numbers; unset: those of the training rows, sorted."""
    is_multi_label: bool = False
    """Whether a row has any number of labels: a list of them, or a text with label_separator in between."""
    is_regression: bool = False
    """Whether the label is a number to come near to, such as a rating."""
    label_separator: str = knob(",", advanced=True, min_length=1)
    """What parts the labels of a row that gives them as one text, when is_multi_label is true."""

    objectives: ClassVar[tuple[str, ...]] = ("sequence_classification",)
    answers: ClassVar[AnswerKind] = "label"

    @classmethod
    def usual_objectives(cls, values: Mapping[str, Any]) -> tuple[str, ...]:
        if values.get("is_regression"):
            return ("regression",)
        return ("multi_label_classification",) if values.get("is_multi_label") else cls.objectives

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.is_multi_label and self.is_regression:
            raise ValueError("is_multi_label and is_regression are both true; a number is one label")
        if self.is_regression and self.labels:
            raise ValueError("labels are given, and is_regression is true; a number has no names")
        if twice := [name for name, count in Counter(self.labels).items() if count > 1]:
            raise ValueError(f"labels names {twice[0]!r} twice")
        return self

    @property
    def answer_kind(self) -> AnswerKind:
        if self.is_regression:
            return "value"
        return "labels" if self.is_multi_label else self.answers

    def field_names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.text_field, self.pair_field, self.label_field) if name)

    def record(self, values: Mapping[str, Any]) -> Record:
        found: Record = {"text": FieldText(self.text_field).of(values)}
        if self.pair_field:
            found["pair"] = FieldText(self.pair_field).of(values)
        name = self.label_field
        label = values[name] if name in values else look_up(values, name, was_seen=False)
        return found | {"label": self._labels(label) if self.is_multi_label else self._label(label)}

    def _labels(self, label: Any) -> list[str]:
        """Return the names of a row's labels, each once."""
        if label is None:
            raise self._bad(" is null", "an empty list where a row has none", "null")
        if isinstance(label, str):
            label = [part for part in map(str.strip, label.split(self.label_separator)) if part]
        return list(
            dict.fromkeys(self._named(one) for one in (label if isinstance(label, list) else [label]))
        )

    def _label(self, label: Any) -> str | float:
        return self._number(label) if self.is_regression else self._named(label)

    def _refuse_odd(self, label: Any) -> None:
        """Refuse what no label can be."""
        if label is None:
            raise self._bad(" is null", "", "null")
        if not isinstance(label, str | int | float):
            mend = "set is_multi_label: true" if isinstance(label, list) and not self.is_multi_label else ""
            raise self._bad(f": want text or a number, got {type_name(label)}", mend, "type")
        if isinstance(label, float) and not math.isfinite(label):
            raise self._bad(": NaN" if math.isnan(label) else ": infinite", "", "nan")
        if isinstance(label, int) and label not in _INT64:
            raise self._bad(": too large for 64 bit", "quote it", "large")
        if isinstance(label, str) and not label.strip():
            raise self._bad(" is empty", "", "empty")

    def _number(self, label: Any) -> float:
        self._refuse_odd(label)
        try:
            number = float(label)
        except ValueError:
            number = math.inf
        if math.isnan(number):
            raise self._bad(": NaN", "", "nan")
        if math.isinf(number) or isinstance(label, bool):
            got = repr(label[:80]) if isinstance(label, str) else label
            raise self._bad(f": want a number, got {got}", "", "type")
        return number

    def _named(self, label: Any) -> str:
        """Return a label's name: its own, or the one in its place among the task's."""
        self._refuse_odd(label)
        if isinstance(label, float):
            if not label.is_integer():
                raise self._bad(f": {label} is no class", "set is_regression: true for numbers", "type")
            label = int(label)  # pandas and others write whole numbers like that
        name, labels = str(label), self.labels
        if not labels or name in labels:
            return name
        is_place = not isinstance(label, bool) and name.isdecimal() and len(name) < 10  # noqa: PLR2004 - no count is longer
        if is_place and int(name) < len(labels):
            return labels[int(name)]
        if isinstance(label, str) and not is_place:
            listed = ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else "")  # noqa: PLR2004 - a line's worth
            raise self._bad(f" {name[:80]!r}: labels are {listed}", did_you_mean(name, labels), "label")
        raise self._bad(f" {name}: labels has {len(labels)} names", "", "label")

    def _bad(self, what: str, mend: str, code: str) -> NoTextError:
        return NoTextError(f"{self.label_field}{what}", mend, code, self.label_field)

    def texts(self, record: Record) -> tuple[str, ...]:
        return (record["text"], record["pair"]) if "pair" in record else (record["text"],)

    @property
    def has_labels(self) -> bool:
        return not self.is_regression

    def label_names(self, record: Record) -> Iterable[str]:
        if self.is_regression:
            return ()
        return record["label"] if self.is_multi_label else (record["label"],)

    def label_set(self, names: Iterable[str]) -> tuple[str, ...]:
        found = set(names)
        if not self.is_multi_label:
            refuse_one_label(found)
        return self.labels or super().label_set(found)

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        tokens = encoder.whole(record["text"], record.get("pair")).ids
        if self.is_regression:
            return [Encoded(tokens, [float(record["label"])])]
        return [Encoded(tokens, [encoder.label_id(name) for name in self.label_names(record)])]

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        from raylm.metrics import classes

        of_kind = {"label": classes.single_label, "labels": classes.multi_label, "value": classes.regression}
        return Judged(*of_kind[self.answer_kind]([record["label"] for record in records], answers))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        from raylm.metrics.text_classifier import TextClassifier

        rows = [("\n".join(self.texts(each)), each["label"]) for each in train]
        if not rows:
            return {}
        texts, labels = zip(*rows, strict=True)
        model = TextClassifier(self.answer_kind).fit(texts, labels)  # pyright: ignore[reportArgumentType] - one of three
        names = _BASELINES[self.is_regression]
        usual = self._usual(labels)
        said = model.predict(["\n".join(self.texts(each)) for each in records])
        return dict(zip(names, ([usual] * len(records), said), strict=True))

    def _usual(self, labels: Sequence[Any]) -> Any:
        """Return the answer that is right most often: the same to every text."""
        if self.is_regression:
            return sum(labels) / len(labels)
        if not self.is_multi_label:
            return Counter(labels).most_common(1)[0][0]
        counts = Counter(name for each in labels for name in each).most_common()
        common = [name for name, count in counts if count > _COMMON * len(labels)]
        return common or [name for name, _ in counts[:1]]

    def group(self, record: Record) -> str | None:
        return record["label"] if self.answer_kind == "label" else None


_BASELINES = {
    False: ("majority class", "tf-idf with logistic regression"),
    True: ("mean of the training rows", "tf-idf with ridge regression"),
}
