"""Numbers that a state gives to a person, by form (US, UK) or after a word that names them (25 kinds).

The forms and check digits are python-stdnum's; the UK's National Insurance number follows HMRC's manual
NIM39110.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import islice

from raylm.data.personal import Hit, Recogniser, digits_of, is_marked, mark

_US = re.compile(r"\d(?<![\w-].)\d\d([- ]?)\d\d\1\d{4}(?![\w-])")
_US_MARK = mark(
    "ssn|itin|social(?: security)?(?: number| no)?|sociale? security|taxpayer id\\w*",
    "number|no|num|is|was|#",
)
_UK = re.compile(
    r"[A-CEGHJ-PR-TW-Z](?<![\w-].)[A-CEGHJ-NPR-TW-Z](?<!BG|GB|KN|NK|NT|TN|ZZ)"
    r"( ?)\d{2}\1\d{2}\1\d{2}\1[A-D](?![\w-])"
)
# What names the number, and python-stdnum's module for it.
_NAMED = {
    r"pps(?:n| number)?": "ie.pps",
    r"nhs(?: number| no)?": "gb.nhs",
    r"steuer-?id(?:entifikations?nummer|nr)?|steuerliche identifikationsnummer|idnr": "de.idnr",
    r"num[ée]ro de s[ée]curit[ée] sociale|num[ée]ro insee|nir": "fr.nir",
    r"dni|nif": "es.nif",
    r"nie": "es.nie",
    r"codice fiscale": "it.codicefiscale",
    r"bsn|burgerservicenummer": "nl.bsn",
    r"pesel": "pl.pesel",
    r"person(?:al identity )?nummer|personnr": "se.personnummer",
    r"henkil[öo]tunnus|hetu": "fi.hetu",
    r"cpr(?:-?nummer|-?nr)?": "dk.cpr",
    r"f[øo]dselsnummer|f[øo]dselsnr": "no.fodselsnummer",
    r"cpf": "br.cpf",
    r"curp": "mx.curp",
    r"aadhaa?r": "in_.aadhaar",
    r"pan": "in_.pan",
    r"sin|social insurance number": "ca.sin",
    r"tfn|tax file number": "au.tfn",
    r"身份证(?:号码?)?|resident identity card": "cn.ric",
    r"south african id": "za.idnr",
    r"rijksregister(?:nummer)?|num[ée]ro national": "be.nn",
    r"ahv(?:-?nummer|-?nr)?|avs": "ch.ssn",
    r"t\.?c\.? kimlik(?: no)?": "tr.tckimlik",
    r"주민등록번호|resident registration number": "kr.rrn",
}
_FILLERS = "number|no|nr|num|is|was|card|es|ist|est|è"
_CANDIDATE = re.compile(r"[\dA-Z](?<![^\W_].)[A-Z]{0,5}(?:(?<=\d)|\d)(?:[ ./+-]?[\dA-Z]){5,22}")
_SHORTEST, _FEWEST_DIGITS = 7, 4


def recogniser() -> Recogniser:
    """Return the recogniser."""
    from stdnum.us import itin, ssn

    named = [(mark(name, _FILLERS), import_module(f"stdnum.{module}")) for name, module in _NAMED.items()]
    any_name = mark("|".join(_NAMED), _FILLERS)

    def find(text: str) -> Iterator[Hit]:
        hits = [Hit(*match.span(), "national_id", "us") for match in _US.finditer(text) if is_us(match)]
        hits += [Hit(*match.span(), "national_id", "uk") for match in _UK.finditer(text)]
        hits += [hit for match in _CANDIDATE.finditer(text) for hit in named_ids(match)]
        yield from _first_of_overlapping(hits)

    def is_us(match: re.Match[str]) -> bool:
        digits = digits_of(match[0])
        is_plain = match[1] == "-" or is_marked(match.string, match.start(), _US_MARK)
        return is_plain and (ssn.is_valid(digits) or itin.is_valid(digits))

    def named_ids(number: re.Match[str]) -> Iterator[Hit]:
        text, start = number.string, number.start()
        if len(digits_of(number[0])) < _FEWEST_DIGITS or not is_marked(text, start, any_name):
            return
        modules = [module for name, module in named if is_marked(text, start, name)]
        valid = (end for end in _ends(number) for module in modules if module.is_valid(text[start:end]))
        yield from (Hit(start, end, "national_id", "named") for end in islice(valid, 1))

    return find


def _ends(number: re.Match[str]) -> Iterator[int]:
    """Yield where the number may end, the farthest first: what follows may look like a part of it."""
    for end in range(number.end(), number.start() + _SHORTEST - 1, -1):
        if not number.string[end : end + 1].isalnum() and number.string[end - 1].isalnum():
            yield end


def _first_of_overlapping(hits: list[Hit]) -> Iterator[Hit]:
    end = 0
    for hit in sorted(hits):
        if hit.start >= end:
            yield hit
            end = hit.end
