"""How good names of classes and numbers are, beside the right ones: all from sums over rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from raylm.metrics.judging import Figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING = 1e-12  # a spread below this share of the squares is none


def f1(hits: float, found: float, wanted: float) -> float:
    """Return F1 of counts: true positives, what was said, what is right (van Rijsbergen 1979, chapter 7).

    It is 0 where nothing was said and nothing is right, as scikit-learn has it.
    """
    return 2 * hits / (found + wanted) if found + wanted else 0.0


def single_label(right: Sequence[str], answers: Sequence[str]) -> Figures:
    """Return accuracy, macro F1, Matthews correlation and F1 of each class, for one class a row.

    Macro F1 is the mean over the classes that the rows have. A class that only answers name is a wrong answer
    and no class of its own: the statistics of two answerers can be compared.
    """
    import numpy as np

    names = sorted(set(right))
    found, wanted = _indicators([[each] for each in answers], names), _indicators([[e] for e in right], names)
    is_right = np.array([a == b for a, b in zip(answers, right, strict=True)], dtype=np.float64)
    ones = np.ones(len(right))

    def metrics(sums: NDArray[np.float64]) -> dict[str, float]:
        num_right, num_rows = sums[:2]
        hits, said, there = np.split(sums[2:], 3)
        return {
            "accuracy": _share(num_right, num_rows),
            "macro_f1": _macro_f1(hits, said, there),
            "matthews_correlation": _matthews(float(num_right), float(num_rows), said, there),
            **_each_f1(names, hits, said, there),
        }

    stats = np.column_stack([is_right, ones, found * wanted, found, wanted])
    return Figures(stats, metrics, is_right)


def multi_label(right: Sequence[Collection[str]], answers: Sequence[Collection[str]]) -> Figures:
    """Return micro F1, macro F1, subset accuracy and F1 of each class, for any number of classes a row.

    Subset accuracy is the share of rows with every class right and none too many. Macro F1 is the mean over
    the classes that the rows have; micro F1 counts every name that was said.
    """
    import numpy as np

    names = sorted({name for each in right for name in each})
    found, wanted = _indicators(answers, names), _indicators(right, names)
    is_right = np.array([set(a) == set(b) for a, b in zip(answers, right, strict=True)], dtype=np.float64)
    num_said = np.array([len(set(each)) for each in answers], dtype=np.float64)
    ones = np.ones(len(right))

    def metrics(sums: NDArray[np.float64]) -> dict[str, float]:
        num_right, num_rows, total = sums[:3]
        hits, said, there = np.split(sums[3:], 3)
        return {
            "micro_f1": f1(float(hits.sum()), float(total), float(there.sum())),
            "macro_f1": _macro_f1(hits, said, there),
            "subset_accuracy": _share(num_right, num_rows),
            **_each_f1(names, hits, said, there),
        }

    stats = np.column_stack([is_right, ones, num_said, found * wanted, found, wanted])
    both = (found * wanted).sum(axis=1)
    sizes = num_said + wanted.sum(axis=1)
    return Figures(stats, metrics, np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0))


def regression(right: Sequence[float], answers: Sequence[float]) -> Figures:
    """Return Pearson correlation, root mean squared error and mean absolute error, for a number a row.

    The correlation is 0 where the answers, or the right numbers, do not differ.
    """
    import numpy as np

    x, y = np.asarray(right, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    error = np.abs(x - y)
    # The correlation stays what it is when a constant is taken off; near 0 the sums lose fewer digits.
    x, y = (each - each.mean() if len(each) else each for each in (x, y))

    def metrics(sums: NDArray[np.float64]) -> dict[str, float]:
        num_rows, squared, absolute = (float(each) for each in sums[:3])
        return {
            "pearson": _pearson(num_rows, sums[3:]),
            "rmse": math.sqrt(_share(squared, num_rows)),
            "mae": _share(absolute, num_rows),
        }

    stats = np.column_stack([np.ones(len(x)), error**2, error, x, y, x * x, y * y, x * y])
    return Figures(stats, metrics, -error)


def _indicators(labels: Sequence[Collection[str]], names: Sequence[str]) -> NDArray[np.float64]:
    """Return (N, classes): 1 where a row has a class; other classes have no column."""
    import numpy as np

    columns: Mapping[str, int] = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(labels), len(names)))
    for row, those in enumerate(labels):
        table[row, [columns[name] for name in those if name in columns]] = 1
    return table


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0


def _each_f1(
    names: Sequence[str], hits: NDArray[np.float64], said: NDArray[np.float64], there: NDArray[np.float64]
) -> dict[str, float]:
    counts = zip(hits.tolist(), said.tolist(), there.tolist(), strict=True)
    return {f"f1/{name}": f1(*each) for name, each in zip(names, counts, strict=True)}


def _macro_f1(hits: NDArray[np.float64], said: NDArray[np.float64], there: NDArray[np.float64]) -> float:
    """Return the mean of F1 over the classes that these rows have or were given."""
    is_there = said + there > 0
    values = 2 * hits[is_there] / (said + there)[is_there]
    return float(values.mean()) if len(values) else 0.0


def _matthews(
    num_right: float, num_rows: float, said: NDArray[np.float64], there: NDArray[np.float64]
) -> float:
    """Return Matthews correlation for several classes (Gorodkin 2004, equation 8); 0 where it is undefined.

    Answers that name no class of the rows count as one class more.
    """
    other = num_rows - float(said.sum())
    spread_said = num_rows**2 - float(said @ said) - other**2
    spread_there = num_rows**2 - float(there @ there)
    scale = math.sqrt(max(0.0, spread_said * spread_there))
    return (num_right * num_rows - float(said @ there)) / scale if scale else 0.0


def _pearson(num_rows: float, sums: NDArray[np.float64]) -> float:
    x, y, xx, yy, xy = (float(each) for each in sums)
    spread_x, spread_y = num_rows * xx - x * x, num_rows * yy - y * y
    if spread_x <= _ROUNDING * num_rows * xx or spread_y <= _ROUNDING * num_rows * yy:
        return 0.0
    return (num_rows * xy - x * y) / (math.sqrt(spread_x) * math.sqrt(spread_y))
