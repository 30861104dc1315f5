"""How often each source of a dataset is drawn, from what the recipe says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from raylm.config.errors import BadInput, Problem
from raylm.data.mixture import Order, Share, order_of
from raylm.data.section import DataSection


class _Named(NamedTuple):
    name: str
    number: int | None
    """In the recipe's list of sources; None where it is not listed."""
    share: Share


def weight_problem(data: DataSection) -> Problem | None:
    """Return why these sources cannot be mixed, or None: each one that trains has a weight, or none has."""
    return _problem([each for each in _named(data, data.source_names()) if not _is_validation(data, each)])


def shares_of(data: DataSection, names: Sequence[str]) -> dict[str, Share]:
    """Return the share of each source of a dataset; sources that the recipe does not list have none."""
    return {each.name: each.share for each in _named(data, names)}


def order_for(data: DataSection, names: Sequence[str], source_rows: Sequence[int], seed: int) -> Order:
    """Return the order in which the training rows of a dataset are drawn.

    Args:
        data: the recipe's section.
        names: of the dataset's sources.
        source_rows: training rows of each of them.
        seed: picks the order.

    Raises:
        BadInput: some sources have a weight and others have none.
    """
    named = _named(data, names)
    problem = _problem([each for each, rows in zip(named, source_rows, strict=True) if rows])
    if problem is not None:
        raise BadInput(problem)
    return order_of(source_rows, [each.share for each in named], seed)


def check_lasts(order: Order, num_samples: int) -> None:
    """Check that a run does not draw more than the limits on passes allow.

    Raises:
        BadInput: it does.
    """
    if order.num_samples is not None and num_samples > order.num_samples:
        raise BadInput.one(
            "train",
            f"the run draws {num_samples:,} sequences, the sources' max_epochs allow {order.num_samples:,}",
            "train for fewer steps, raise max_epochs, or leave it out of one source",
            code="max_epochs",
        )


def _named(data: DataSection, names: Sequence[str]) -> list[_Named]:
    listed = {name: number for number, name in enumerate(data.source_names())}
    return [_Named(name, listed.get(name), _share(data, listed.get(name))) for name in names]


def _share(data: DataSection, number: int | None) -> Share:
    if number is None:
        return Share()
    return Share(data.sources[number].weight, data.sources[number].max_epochs)


def _is_validation(data: DataSection, each: _Named) -> bool:
    return each.number is not None and data.sources[each.number].split == "validation"


def _problem(named: Sequence[_Named]) -> Problem | None:
    with_weight = [each for each in named if each.share.weight is not None]
    without = [each for each in named if each.share.weight is None]
    if not with_weight or not without:
        return None
    first, weighted = without[0], with_weight[0]
    field = "data.sources" if first.number is None else f"data.sources.{first.number}.weight"
    message = f"{first.name} has no weight, {weighted.name} has {weighted.share.weight:g}"
    return Problem(field, message, "give every source a weight, or none", code="weights")
