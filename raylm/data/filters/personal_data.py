"""Personal data: e-mail addresses, phone numbers, IP addresses, cards, bank accounts, national ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Literal, TypeAlias

from raylm.config.errors import BadInput, Problem
from raylm.config.secrets import shown
from raylm.config.sections import knob
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.personal import (
    MAY_HOLD,
    Hit,
    Recogniser,
    bank_account,
    email_address,
    find_all,
    mask,
    national_id,
    network_address,
    payment_card,
    phone,
)
from raylm.data.sources import Source

Action: TypeAlias = Literal["redact", "drop", "report"]
OwnAction: TypeAlias = Literal["redact", "drop", "report", "ignore"]

_LIBRARIES = {"phone": "phonenumbers", "iban": "stdnum", "national_id": "stdnum"}
_PACKAGES = {"phonenumbers": "phonenumbers", "stdnum": "python-stdnum"}
_CONTEXT = 60
"""Characters of the text on each side of a find in its excerpt."""


class PersonalData(DocumentFilter):
    """Redacts personal data, or drops or reports the documents that hold some.

    A find is replaced by its kind: `<EMAIL>`, `<PHONE>`, `<IP>`, `<CARD>`, `<IBAN>`, `<NATIONAL_ID>`. What is
    found and missed is measured by bench/personal_data.py.
    """

    kind: Literal["personal_data"] = "personal_data"
    action: Action = "redact"
    """redact: replaced by its kind; drop: the document is dropped; report: counted only."""
    email: OwnAction | None = knob(None, group="Kinds")
    """What becomes of e-mail addresses; unset: as action says; ignore: not looked for."""
    phone: OwnAction | None = knob(None, group="Kinds")
    """What becomes of phone numbers: international ones, those beside a word such as phone or fax, and those
    written as usual in phone_regions."""
    ip: OwnAction | None = knob(None, group="Kinds")
    """What becomes of IP addresses, versions 4 and 6."""
    card: OwnAction | None = knob(None, group="Kinds")
    """What becomes of payment cards: a right check digit, and an issuer's range or a word such as card."""
    iban: OwnAction | None = knob(None, group="Kinds")
    """What becomes of international bank account numbers with right check digits."""
    national_id: OwnAction | None = knob(None, group="Kinds")
    """What becomes of national ids: US and UK numbers by form, 25 others after a word that names them."""
    phone_regions: tuple[str, ...] = knob(("US", "GB"), advanced=True)
    """Countries (ISO 3166, such as DE) whose phone numbers count without a country code or a word beside."""
    private_addresses: bool = False
    """Whether IP addresses count that name nobody on the internet: private, loopback, documentation."""

    def problems(self, sources: Sequence[Source]) -> Iterable[Problem]:
        del sources
        yield from self._missing()
        if not self._is_wanted("phone") or find_spec("phonenumbers") is None:
            return
        from phonenumbers import SUPPORTED_REGIONS

        for number, region in enumerate(self.phone_regions):
            if region not in SUPPORTED_REGIONS:
                message = f"{shown(region)} is no country with phone numbers of its own"
                yield Problem(f"phone_regions.{number}", message, "two capitals, such as DE", code="region")

    def judge(self, source: Source) -> Judge:
        del source
        missing = self._missing()
        if missing:
            raise BadInput(*missing)
        actions, recognisers = self._actions(), self.recognisers()
        return lambda text: _judge(text, recognisers, actions)

    def recognisers(self) -> list[Recogniser]:
        """Return what finds the kinds that are looked for, in the order in which they count."""
        makers = self._makers()
        return [makers[kind]() for kind in self._actions() if self._is_wanted(kind)]

    def packages(self) -> Iterable[str]:
        return {_PACKAGES[library] for kind, library in _LIBRARIES.items() if self._is_wanted(kind)}

    def _actions(self) -> dict[str, OwnAction]:
        """Return the action for each kind; where two kinds overlap in a text, the first one counts."""
        kinds = ("email", "iban", "card", "ip", "national_id", "phone")
        return {kind: getattr(self, kind) or self.action for kind in kinds}

    def _makers(self) -> dict[str, Callable[[], Recogniser]]:
        return {
            "email": email_address.recogniser,
            "iban": bank_account.recogniser,
            "card": payment_card.recogniser,
            "ip": lambda: network_address.recogniser(private=self.private_addresses),
            "national_id": national_id.recogniser,
            "phone": lambda: phone.recogniser(self.phone_regions),
        }

    def _is_wanted(self, kind: str) -> bool:
        return self._actions()[kind] != "ignore"

    def _missing(self) -> list[Problem]:
        return [
            _library_missing(kind, library)
            for kind, library in _LIBRARIES.items()
            if self._is_wanted(kind) and find_spec(library) is None
        ]


def _library_missing(kind: str, library: str) -> Problem:
    message = f"finding these needs {_PACKAGES[library]}, which is not installed"
    return Problem(kind, message, f"pip install 'raylm[clean]', or {kind}: ignore", code="library")


def _judge(text: str, recognisers: Sequence[Recogniser], actions: dict[str, OwnAction]) -> Verdict:
    hits = find_all(text, recognisers) if MAY_HOLD.search(text) else []
    if not hits:
        return Verdict(text)
    found = Counter(hit.kind for hit in hits)
    to_drop, to_redact = (
        [hit for hit in hits if actions[hit.kind] == action] for action in ("drop", "redact")
    )
    deciding = to_drop or to_redact
    if not deciding:
        return Verdict(text, found=found)
    kept = None if to_drop else _replaced(text, to_redact)
    counts = Counter(hit.kind for hit in deciding)
    detail = ", ".join(f"{kind}: {count}" for kind, count in counts.most_common())
    return Verdict(kept, deciding[0].kind, detail, _excerpt(text, deciding[0], hits), found)


def _replaced(text: str, hits: Sequence[Hit]) -> str:
    parts, at = [], 0
    for hit in hits:
        parts += [text[at : hit.start], f"<{hit.kind.upper()}>"]
        at = hit.end
    return "".join([*parts, text[at:]])


def _excerpt(text: str, decisive: Hit, hits: Sequence[Hit]) -> str:
    """Return the text around a hit, with all personal data in it masked."""
    start, end = max(0, decisive.start - _CONTEXT), decisive.end + _CONTEXT
    near = [hit for hit in hits if hit.end > start and hit.start < end]
    parts, at = [], min(start, near[0].start)
    for hit in near:
        parts += [text[at : hit.start], mask(hit.kind, text[hit.start : hit.end])]
        at = hit.end
    return "".join([*parts, text[at : max(at, end)]])
