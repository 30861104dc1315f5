"""What a person sees when an input cannot be used or a run fails: one clear line each, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: `field (location): message; mend`.

    `code` is a stable name of the rule, for programs and tests; `location` is `file:line` where one is known.
    """

    field: str
    message: str
    mend: str = ""
    location: str = ""
    code: str = ""

    def __str__(self) -> str:
        place = f" ({self.location})" if self.location else ""
        head = f"{self.field}{place}: " if self.field or place else ""
        return head.lstrip() + self.message + (f"; {self.mend}" if self.mend else "")


class BadInput(Exception):  # noqa: N818 - whose fault it is says more than another Error
    """The person's input cannot be used; holds every problem found, not only the first."""

    exit_code = 2

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @classmethod
    def one(cls, field: str, message: str, mend: str = "", location: str = "", code: str = "") -> "BadInput":
        """Return the error for a single problem."""
        return cls(Problem(field, message, mend, location, code))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class RunFailed(Exception):  # noqa: N818
    """A run that started and could not go on: it diverged, its workers died, its disk filled up."""

    exit_code = 1

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason, mend)
        self.reason = reason
        self.mend = mend

    def __str__(self) -> str:
        return self.reason + (f"; {self.mend}" if self.mend else "")


@contextmanager
def located(place: str) -> Iterator[None]:
    """Say where it stands, `file:line`, of what is raised within and does not say so itself."""
    try:
        yield
    except BadInput as error:
        problems = (replace(each, location=each.location or place) for each in error.problems)
        raise BadInput(*problems) from None
