"""Which licences may be learned from; a source whose licence is not allowed is refused before it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from raylm.config.errors import Problem
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.sources import Source

_UNKNOWN = ("", "unknown", "none", "n-a", "other", "noassertion")
# What people write, and its SPDX identifier in lower case (spdx.org/licenses).
_SPDX = {
    "apache": "apache-2.0",
    "apache-2": "apache-2.0",
    "apache2": "apache-2.0",
    "apache2.0": "apache-2.0",
    "cc0": "cc0-1.0",
    "cc-0": "cc0-1.0",
    "cc-zero": "cc0-1.0",
    "cc-0-1.0": "cc0-1.0",
    "bsd-3": "bsd-3-clause",
    "bsd-2": "bsd-2-clause",
    "gpl-2.0-only": "gpl-2.0",
    "gplv2": "gpl-2.0",
    "gpl-3.0-only": "gpl-3.0",
    "gplv3": "gpl-3.0",
    "creative-commons-zero": "cc0-1.0",
    "pd": "public-domain",
}
_WORDING = (
    (re.compile(r"\b(?:the|licen[cs]ed?|version|international|unported)\b"), " "),
    (re.compile(r"\bcreative[\s-]commons\b"), "cc"),
    (re.compile(r"\battribution\b"), "by"),
    (re.compile(r"\bshare[\s-]?alike\b"), "sa"),
    (re.compile(r"\bnon[\s-]?commercial\b"), "nc"),
    (re.compile(r"\bno[\s-]?deriv(?:ative)?s?\b"), "nd"),
    (re.compile(r"(?<=[a-z\s-])v\.?(?=\d)"), ""),
    (re.compile(r"[\s_,/-]+"), "-"),
)


class Licence(DocumentFilter):
    """Refuses a source whose licence is unknown or is not allowed; the documents stay as they are."""

    kind: Literal["licence"] = "licence"
    allow: tuple[str, ...] = ()
    """Licences that are allowed, such as CC-BY-4.0, MIT, public domain; none: any that is known. Case, spaces
    and hyphens do not matter. A source without a known licence is refused unless "unknown" is among these."""

    def problems(self, sources: Sequence[Source]) -> Iterator[Problem]:
        allowed = {_plain(name) for name in self.allow}
        for number, source in enumerate(sources):
            if not _is_allowed(source.licence, allowed):
                yield _problem(f"data.sources.{number}.licence", source, self.allow)

    def judge(self, source: Source) -> Judge:
        del source
        return Verdict


def _is_allowed(licence: str, allowed: set[str]) -> bool:
    """Whether a licence is allowed; of an SPDX expression one side of OR, both sides of AND."""
    name = _plain(licence)
    if name in allowed:
        return True
    if " OR " in licence:
        return any(_is_allowed(part.strip("() "), allowed) for part in licence.split(" OR "))
    if " AND " in licence:
        return all(_is_allowed(part.strip("() "), allowed) for part in licence.split(" AND "))
    return name != "unknown" and not allowed - {"unknown"}


def _plain(licence: str) -> str:
    """Return a licence's name without what makes no difference: in lower case, as SPDX has it."""
    name = licence.lower()
    for wording, short in _WORDING:
        name = wording.sub(short, name)
    name = name.strip("-. ")
    return "unknown" if name in _UNKNOWN else _SPDX.get(name, name)


def _problem(field: str, source: Source, allow: Iterable[str]) -> Problem:
    name = source.name or source.label()
    if _plain(source.licence) == "unknown":
        message = f"the licence of {name} is not known"
        mend = 'state it, or add "unknown" to allow in the filter licence'
        return Problem(field, message, mend, code="licence-unknown")
    message = f"{source.licence} is not allowed for {name}; allowed are {', '.join(allow)}"
    mend = f'add "{source.licence}" to allow in the filter licence, or leave the source out'
    return Problem(field, message, mend, code="licence")
