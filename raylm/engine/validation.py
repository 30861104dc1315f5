"""The loss over the validation split of a run, once more, and what the objective's own loss does not say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from raylm.data.shards import Dataset, Split
from raylm.engine.evaluate import evaluator_of
from raylm.engine.examinee import Examinee
from raylm.engine.parallel import LossModule
from raylm.engine.world import World
from raylm.evaluations import Result
from raylm.objectives import Request

NAME = "validation"
SCORED_TOKENS = 10_000  # each may take a forward pass of its own


def validate(examinee: Examinee, dataset: Dataset, limit: int | None) -> Result:
    """Return the losses of the run's objective over its whole validation split, as in training.

    Where the loss is not the likelihood of the text, figures of the text stand beside it, `pseudo_` or
    `left_to_right_`: of the first `limit` documents, or of the first 10,000 tokens.
    """
    split = dataset.splits["validation"]
    model = examinee.restored.model
    module, world = LossModule(model, examinee.recipe.objective), World(0, 1, model.device)
    evaluator = evaluator_of(examinee.recipe, dataset, module, world)
    losses = {name.removeprefix("eval/"): value for name, value in evaluator.evaluate().items()}
    model.eval()
    counts = {"num_rows": evaluator.num_rows, "num_bytes": split.num_bytes}
    objective = examinee.recipe.objective
    if objective.is_likelihood or not objective.predicts_tokens:
        return Result(losses, counts)
    whole = _of_text(examinee, split, limit)
    return Result({**losses, **whole.metrics}, {**counts, **whole.counts}, notes=whole.notes)


def _of_text(examinee: Examinee, split: Split, limit: int | None) -> Result:
    special = np.array(examinee.scorer.frame.vocabulary.special_ids, np.int64)
    requests = [Request(text[:0], text) for text in _documents(split, limit, special)]
    scores = examinee.scores(requests)
    num_tokens = sum(each.num_tokens for each in scores)
    if not num_tokens:
        return Result({}, {})
    loss = -sum(each.log_probability for each in scores) / num_tokens
    all_tokens = int(split.document_offsets[-1]) - split.num_documents  # the ends of documents are no text
    kind = "left_to_right_" if examinee.scores_in_order else "pseudo_"
    return Result(
        metrics={
            f"{kind}loss": loss,
            f"{kind}perplexity": math.exp(min(loss, 700.0)),
            f"{kind}bits_per_byte": loss / math.log(2) * all_tokens / max(1, split.num_bytes),
        },
        counts={
            "num_documents_scored": len(scores),
            "num_tokens_scored": num_tokens,
            "num_tokens": all_tokens,
        },
        notes=[f"figures with {kind} are of the first {num_tokens:,} of {all_tokens:,} tokens"],
    )


def _documents(split: Split, limit: int | None, special: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield documents without the tokens that are no text; without a limit the last one is cut short."""
    left = None if limit else SCORED_TOKENS
    for start, stop in pairwise(split.document_offsets[: limit and limit + 1].tolist()):
        text = split.read("tokens", start, stop).astype(np.int64)
        text = text[~np.isin(text, special)][:left]
        if left is not None:
            left -= len(text)
        if len(text):
            yield text
        if left == 0:
            return
