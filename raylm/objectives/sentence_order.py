"""Sentence order prediction beside masked language modelling (Lan et al. 2020, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from raylm.config.sections import knob
from raylm.objectives import Frame, JudgesPairs, Row

if TYPE_CHECKING:
    import numpy as np

    from raylm.kernels.pairs import Pair


class SentenceOrder(JudgesPairs):
    """Guess hidden tokens, and whether two texts that adjoin stand in their order (ALBERT)."""

    kind: Literal["sentence_order"] = "sentence_order"
    negative_share: float = knob(0.5, gt=0, lt=1)
    """Share of the pairs whose texts have changed places."""

    def pair(self, row: Row, frame: Frame, rng: np.random.Generator) -> Pair:
        from raylm.kernels.pairs import Pair, run_of

        tokens, offsets, *_ = row.arrays
        run = run_of(tokens, offsets, frame.vocabulary)
        first, second = run.halves(int(rng.integers(1, run.num_sentences)))
        is_swapped = rng.random() < self.negative_share
        return Pair(second, first, 1) if is_swapped else Pair(first, second, 0)
