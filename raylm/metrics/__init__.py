"""Figures for answers: from statistics of rows to metrics, intervals and breakdowns; no model, no files."""

import re

_LOWER_IS_BETTER = re.compile(
    r"(?:^|[/_])(?:loss|perplexity|bits_per_byte|rmse|mae|error|loss_over_entropy)$"
)


def is_lower_better(metric: str) -> bool:
    """Return whether a metric, such as eval/loss or pseudo_perplexity, is the better the lower it is."""
    return _LOWER_IS_BETTER.search(metric) is not None
