"""Next sentence prediction beside masked language modelling (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from raylm.config.sections import knob
from raylm.objectives import Frame, JudgesPairs, Row

if TYPE_CHECKING:
    import numpy as np

    from raylm.kernels.pairs import Pair


class NextSentence(JudgesPairs):
    """Guess hidden tokens, and whether the second of two texts follows the first (BERT)."""

    kind: Literal["next_sentence"] = "next_sentence"
    negative_share: float = knob(0.5, gt=0, lt=1)
    """Share of the pairs whose second text is from another document."""

    def pair(self, row: Row, frame: Frame, rng: np.random.Generator) -> Pair:
        from raylm.kernels.pairs import Pair, run_of, stand_in

        tokens, offsets, other_tokens, other_offsets = row.arrays
        run = run_of(tokens, offsets, frame.vocabulary)
        first, second = run.halves(int(rng.integers(1, run.num_sentences)))
        if rng.random() >= self.negative_share:
            return Pair(first, second, 0)
        other = run_of(other_tokens, other_offsets, frame.vocabulary)
        return Pair(first, stand_in(other, len(second), rng), 1)
