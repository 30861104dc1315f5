"""Multiple choice: which of several answers does the model find likeliest? (PIQA and the like)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

from pydantic import field_validator, model_validator

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.field_rows import FieldRow, field_rows, numbered_lines
from raylm.data.records import TemplateText, parse_template
from raylm.evaluations import NUM_EXAMPLES, Evaluation, Examinee, Result, Share, sampled


class _Question(NamedTuple):
    context: str
    choices: list[str]
    label: int
    origin: str


class _Answered(NamedTuple):
    question: _Question
    by_sum: int
    """The choice of the highest log-probability."""
    by_byte: int
    """The choice of the highest log-probability a byte, so that short answers have no start."""
    margin: float
    """Nats between the right choice and the best wrong one."""


class MultipleChoice(Evaluation):
    """Questions with several answers each, of which one is right."""

    kind: Literal["multiple_choice"] = "multiple_choice"
    context: str = ""
    """What stands before each choice: text with fields in it, such as "Question: {goal}\\nAnswer:"."""
    choice_fields: tuple[str, ...] = ()
    """The fields of the choices, each a text, such as sol1 and sol2."""
    choices_field: str | None = None
    """Instead of choice_fields: the field that holds a list of texts."""
    label_field: str = "label"
    """The field of the right choice: its number from 0, its text, or one of label_names."""
    label_names: tuple[str, ...] = ()
    """What labels call the choices, such as A, B, C, D."""
    labels_path: str | None = None
    """Instead of label_field: a file with one label a line, in the order of the rows."""
    delimiter: str = knob(" ", advanced=True)
    """What stands between context and choice."""

    @field_validator("context")
    @classmethod
    def _is_template(cls, context: str) -> str:
        if context:
            parse_template(context)
        return context

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.choice_fields) == bool(self.choices_field):
            raise ValueError("give choice_fields or choices_field, one of them")
        return self

    def run(self, examinee: Examinee) -> Result:
        questions = sampled(self._questions(), self.limit)
        answered = _answered(questions, examinee, self.delimiter)
        chance = sum(1 / len(each.choices) for each in questions) / len(questions)
        lost = sorted((each for each in answered if each.margin < 0), key=lambda each: each.margin)
        return Result(
            metrics={
                "accuracy": Share.of((each.by_sum == each.question.label for each in answered), chance),
                "accuracy_per_byte": Share.of(
                    (each.by_byte == each.question.label for each in answered), chance
                ),
            },
            counts={
                "num_questions": len(questions),
                "num_choices": sum(len(each.choices) for each in questions),
            },
            examples=[
                {**each.question._asdict(), "answer": each.by_sum, "margin": each.margin}
                for each in lost[:NUM_EXAMPLES]
            ],
        )

    def _questions(self) -> list[_Question]:
        rows = field_rows(self)
        labels = self._labels(rows)
        template = TemplateText(self.context) if self.context else None
        return [self._question(row, label, template) for row, label in zip(rows, labels, strict=True)]

    def _question(self, row: FieldRow, label: Any, template: TemplateText | None) -> _Question:
        context = row.filled(template, "context") if template else ""
        choices = self._choices(row)
        return _Question(context, choices, self._number(label, choices, row), row.origin)

    def _choices(self, row: FieldRow) -> list[str]:
        if self.choices_field is None:
            return [row.text(name, "choice_fields") for name in self.choice_fields]
        found = row.value(self.choices_field, "choices_field")
        if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
            raise row.bad("choices_field", f"{self.choices_field}: want a list of texts")
        return found

    def _labels(self, rows: list[FieldRow]) -> list[Any]:
        if self.labels_path is None:
            return [row.value(self.label_field, "label_field") for row in rows]
        labels = [line.strip() for line, _ in numbered_lines(self.labels_path) if line.strip()]
        if len(labels) != len(rows):
            message = f"{len(labels)} labels for {len(rows)} rows"
            raise BadInput.one("labels_path", message, "one label a line", self.labels_path, "labels")
        return labels

    def _number(self, label: Any, choices: list[str], row: FieldRow) -> int:
        for names in (self.label_names, [str(number) for number in range(len(choices))], choices):
            if str(label) in names and list(names).index(str(label)) < len(choices):
                return list(names).index(str(label))
        message = f"{str(label)[:80]!r} is none of its {len(choices)} choices"
        raise row.bad("label_field", message, "a label is a number from 0, a choice, or one of label_names")


def _answered(questions: list[_Question], examinee: Examinee, delimiter: str) -> list[_Answered]:
    requests = [
        examinee.request(each.context, f"{delimiter}{choice}", each.origin)
        for each in questions
        for choice in each.choices
    ]
    scores = iter(examinee.scores(requests))
    answered = []
    for each in questions:
        sums = [next(scores).log_probability for _ in each.choices]
        rates = [nats / max(1, len(choice.encode())) for nats, choice in zip(sums, each.choices, strict=True)]
        wrong = [nats for number, nats in enumerate(sums) if number != each.label]
        margin = sums[each.label] - max(wrong, default=float("-inf"))
        answered.append(_Answered(each, sums.index(max(sums)), rates.index(max(rates)), margin))
    return answered
