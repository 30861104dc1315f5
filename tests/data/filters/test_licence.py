import pytest

from raylm.data.filters.licence import Licence
from raylm.data.sources.text import Text


def problems(licence, allow=()):
    sources = [Text(path="a.txt", licence="MIT"), Text(path="b.txt", name="novels", licence=licence)]
    return [problem for problem in Licence(allow=allow).problems(sources) if ".1." in problem.field]


@pytest.mark.parametrize("licence", ["unknown", "", "  ", "Unknown", "NOASSERTION"])
def test_an_unknown_licence_is_refused_with_the_way_to_allow_it(licence):
    (problem,) = problems(licence)

    assert str(problem) == (
        "data.sources.1.licence: the licence of novels is not known; "
        'state it, or add "unknown" to allow in the filter licence'
    )
    assert problems(licence, allow=["MIT", "unknown"]) == []


def test_a_licence_that_is_not_listed_is_refused_with_the_way_to_allow_it():
    (problem,) = problems("CC-BY-NC-4.0", allow=["MIT", "CC-BY-4.0"])

    assert str(problem) == (
        "data.sources.1.licence: CC-BY-NC-4.0 is not allowed for novels; allowed are MIT, CC-BY-4.0; "
        'add "CC-BY-NC-4.0" to allow in the filter licence, or leave the source out'
    )


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache License v2.0", "apache-2.0"),
        ("The MIT License", "MIT"),
        ("public domain", "Public-Domain"),
        ("CC0", "CC0-1.0"),
        ("MIT OR GPL-3.0-only", "MIT"),
    ],
)
def test_the_same_licence_is_known_in_other_spellings(stated, allowed):
    assert problems(stated, allow=[allowed, "MIT"]) == []


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [("CC-BY-NC-4.0", "CC-BY-4.0"), ("CC-BY-3.0", "CC-BY-4.0"), ("MIT AND GPL-3.0-only", "MIT")],
)
def test_a_licence_that_asks_for_more_is_another(stated, allowed):
    assert problems(stated, allow=[allowed, "MIT"])


def test_without_a_list_any_known_licence_is_allowed():
    assert problems("My own terms") == []
    assert problems("My own terms", allow=["unknown"]) == []
