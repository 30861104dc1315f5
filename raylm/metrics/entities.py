"""Entities marked word by word: IOB2 tags (Ramshaw and Marcus 1995, Tjong Kim Sang and Veenstra 1999)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from raylm.metrics.classes import f1
from raylm.metrics.judging import Figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUTSIDE = "O"


class Entity(NamedTuple):
    """Words that name one thing."""

    type: str
    start: int
    """Its first word."""
    stop: int
    """The word after its last."""


def parts(tag: str) -> tuple[str, str]:
    """Return a tag's mark and type: ("B", "PER") for B-PER, ("O", "") for O.

    Raises:
        ValueError: it is not O, B-x or I-x.
    """
    mark, dash, kind = tag.partition("-")
    is_tag = tag == OUTSIDE or (mark in ("B", "I") and dash and kind)
    if not is_tag:
        raise ValueError(f"{tag[:80]!r} is no IOB2 tag: want O, B-x or I-x")
    return mark, kind


def mended(tags: Sequence[str]) -> list[str]:
    """Return tags in IOB2: an I-x that goes on with nothing begins an entity and becomes B-x.

    This makes IOB2 of the older IOB1 too, where B-x only parts neighbours of one type.

    Raises:
        ValueError: one is not O, B-x or I-x.
    """
    found: list[str] = []
    before = ""
    for tag in tags:
        mark, kind = parts(tag)
        found.append(f"B-{kind}" if mark == "I" and kind != before else tag)
        before = kind
    return found


def ordered(tags: Iterable[str]) -> list[str]:
    """Return the labels a model needs for some tags: O first, the others sorted, B-x wherever there is I-x.

    Raises:
        ValueError: one is not O, B-x or I-x.
    """
    given = set(tags)
    begun = {f"B-{kind}" for mark, kind in map(parts, given) if mark == "I"}
    return [OUTSIDE, *sorted((given | begun) - {OUTSIDE})]


def entities(tags: Sequence[str]) -> list[Entity]:
    """Return the entities of a row: each B-x with the I-x after it; an I-x that goes on with nothing is none.

    That is what seqeval counts in its strict mode with IOB2.
    """
    found: list[Entity] = []
    begun: tuple[str, int] | None = None  # type and first word
    for place, tag in enumerate([*tags, OUTSIDE]):
        mark, kind = parts(tag)
        if begun and (mark != "I" or kind != begun[0]):
            found.append(Entity(*begun, place))
            begun = None
        if mark == "B":
            begun = (kind, place)
    return found


def entity_f1(right: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> Figures:
    """Return F1, precision and recall of entities, and F1 of each type that the rows have.

    An entity counts as found where type, first and last word are right. Source: Tjong Kim Sang and De Meulder
    2003, Introduction to the CoNLL-2003 shared task, section 2.4.

    Args:
        right: the IOB2 tags of each row.
        answers: what was said of them.
    """
    import numpy as np

    wanted = [set(entities(tags)) for tags in right]
    found = [set(entities(tags)) for tags in answers]
    kinds = sorted({entity.type for row in wanted for entity in row})
    hits = [a & b for a, b in zip(found, wanted, strict=True)]
    tables = [np.array([_counts(row, kinds) for row in rows]) for rows in (hits, found, wanted)]
    stats = np.stack(tables, axis=2).reshape(len(right), -1) if len(right) else np.zeros((0, 3))

    def metrics(sums: NDArray[np.float64]) -> dict[str, float]:
        (num_hits, num_found, num_wanted), *by_kind = sums.reshape(-1, 3).tolist()
        return {
            "f1": f1(num_hits, num_found, num_wanted),
            "precision": num_hits / max(1.0, num_found),
            "recall": num_hits / max(1.0, num_wanted),
            **{f"f1/{kind}": f1(*each) for kind, each in zip(kinds, by_kind, strict=True)},
        }

    quality = [f1(*row[:3]) if row[1] + row[2] else 1.0 for row in stats.tolist()]
    return Figures(stats, metrics, np.array(quality))


def _counts(row: set[Entity], kinds: Sequence[str]) -> list[float]:
    """Return how many entities there are, then how many of each type."""
    types = [entity.type for entity in row]
    return [float(len(types)), *(float(types.count(kind)) for kind in kinds)]
