"""Code generation: a Python function from its head, or a program from a description (Chen et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from raylm.config.sections import knob
from raylm.data.records import NoTextError
from raylm.data.text_to_text import TextToText, checked, target_of, text_of, value_of
from raylm.metrics.code import parses, program
from raylm.metrics.retrieval import nearest
from raylm.metrics.sandbox import run_programs
from raylm.tasks import AnswerKind, Judged, Record, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CodeGeneration(TextToText, Task):
    """Heads of functions or descriptions, and the code, judged by the share that parses and passes tests."""

    kind: Literal["code_generation"] = "code_generation"
    prompt_field: str = "prompt"
    """The field of a function's head, its docstring included, or of words that say what to write."""
    target_field: str = "canonical_solution"
    """The field of the code that follows: the body after a head, the whole program after words."""
    runs_code: bool = False
    """Whether what the model writes is run with its tests, in a process of its own with limits, which hold
    against accidents, not against malice. If not, no code is run, and only the share that parses is known."""
    test_field: str | None = None
    """The field of the tests, a text, or a list of lines such as "assert add(1, 2) == 3"; unset: none."""
    entry_point_field: str | None = None
    """The field of the function's name, if the tests define check(candidate), as HumanEval's do; unset: they
    run by themselves."""
    seconds: float = knob(5.0, unit="seconds", gt=0, le=3600, advanced=True)
    """What a program with its tests may take."""
    answer_start: str = knob("", group="Prompt", advanced=True)
    """What parts prompt and answer where one text holds both; a function's head has a line end already."""
    max_answer_tokens: int = knob(256, unit="tokens", ge=1, le=10**6)
    """The longest code that is written."""

    objectives: ClassVar[tuple[str, ...]] = ("seq2seq", "supervised")
    answers: ClassVar[AnswerKind] = "text"

    @model_validator(mode="after")
    def _has_tests(self) -> Self:
        if self.runs_code and not self.test_field:
            raise ValueError("runs_code needs test_field, the field of the tests")
        return self

    def field_names(self) -> tuple[str, ...]:
        tests = (self.test_field, self.entry_point_field)
        return (self.prompt_field, self.target_field, *(name for name in tests if name))

    def record(self, values: Mapping[str, Any]) -> Record:
        record = {"source": text_of(values, self.prompt_field), **target_of(values, self.target_field)}
        if self.test_field:
            record["test"] = self._test(value_of(values, self.test_field), self.test_field)
        if self.entry_point_field:
            record["entry_point"] = _function_name(values, self.entry_point_field)
        return record

    def _test(self, value: object, name: str) -> str:
        lines = value if isinstance(value, list) and value else [value]
        test = "\n".join(checked(line, name) for line in lines)
        if not parses(test):
            raise NoTextError(f"{name}: it is not Python", "correct it, or leave the row out", "test", name)
        return test

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        import numpy as np

        programs = [
            program(record["source"], answer) for record, answer in zip(records, answers, strict=True)
        ]
        is_parsed = [parses(each) for each in programs]
        columns = [is_parsed, [1] * len(programs)]
        if self.runs_code:
            columns.insert(0, self._passed(records, programs, is_parsed))
        stats = np.array(columns, dtype=np.float64).T
        names = ("pass_rate", "parse_rate") if self.runs_code else ("parse_rate",)
        return Judged(stats, _rates(names), stats[:, :-1].sum(axis=1))

    def _passed(
        self, records: Sequence[Record], programs: Sequence[str], is_parsed: Sequence[bool]
    ) -> list[bool]:
        """Return which programs pass their tests; those that do not parse are not started."""
        tested = [
            f"{each}\n{_tests(record)}\n"
            for record, each, is_program in zip(records, programs, is_parsed, strict=True)
            if is_program
        ]
        outcomes = iter(run_programs(tested, self.seconds))
        return [is_program and next(outcomes).is_passed for is_program in is_parsed]

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        known = list(train)
        if not known:
            return {}
        places = nearest([each["source"] for each in known], [each["source"] for each in records])
        return {"nearest training solution": [known[place]["target"] for place in places]}


def _function_name(values: Mapping[str, Any], name: str) -> str:
    value = text_of(values, name)
    if not value.isidentifier():
        raise NoTextError(f"{name}: {value[:80]!r} is no function's name", "correct it", "name", name)
    return value


def _tests(record: Record) -> str:
    """Return a record's tests, and the call of check in HumanEval's form (Chen et al. 2021, section 2.2)."""
    call = f"\ncheck({record['entry_point']})" if "entry_point" in record else ""
    return record["test"] + call


def _rates(names: Sequence[str]) -> Callable[[NDArray[np.float64]], dict[str, float]]:
    def rates(sums: NDArray[np.float64]) -> dict[str, float]:
        return {name: float(sums[place]) / max(float(sums[-1]), 1.0) for place, name in enumerate(names)}

    return rates
