"""Sentence order prediction beside masked language modelling (Lan et al. 2020, section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.sections import knob
from raylm.objectives import IGNORE_INDEX, Batch, Frame, HidesTokens, Row, RowPlan, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.pairs import Pair


class SentenceOrder(HidesTokens):
    """Guess hidden tokens, and whether two texts that adjoin stand in their order (ALBERT)."""

    kind: Literal["sentence_order"] = "sentence_order"
    negative_share: float = knob(0.5, gt=0, lt=1)
    """Share of the pairs whose texts have changed places."""
    pair_weight: float = knob(1.0, ge=0, le=100)
    """How much the verdict on pairs counts beside the hidden tokens."""

    head: ClassVar = "pretraining"
    shortest: ClassVar = 5

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        from raylm.kernels.pairs import NUM_SPECIAL

        return split.sentence_rows(sequence_length - NUM_SPECIAL)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return two texts a row; `pair_labels` (B,) are 0 where the second follows the first, else 1."""
        from raylm.kernels.pairs import pair_batch

        pairs = [self._pair(row, frame) for row in rows]
        joined = [pair.joined(frame.vocabulary) for pair in pairs]
        hidden = [self.hide(tokens, row, frame) for tokens, row in zip(joined, rows, strict=True)]
        return pair_batch(pairs, hidden, frame)

    def _pair(self, row: Row, frame: Frame) -> Pair:
        from raylm.kernels.pairs import SEED, Pair, run_of

        seed = frame.seed ^ SEED
        rng = row.fixed_rng(seed) if self.masking == "static" else row.rng(seed)
        tokens, offsets, *_ = row.arrays
        run = run_of(tokens, offsets, frame.vocabulary)
        first, second = run.halves(int(rng.integers(1, run.num_sentences)))
        is_swapped = rng.random() < self.negative_share
        return Pair(second, first, 1) if is_swapped else Pair(first, second, 0)

    def counts(self, batch: Batch) -> dict[str, int]:
        masked = int((batch["labels"] != IGNORE_INDEX).sum())
        return {"masked": masked, "sentence_order": len(batch["pair_labels"])}

    def num_inputs(self, batch: Batch) -> int:
        return int(batch["attention_mask"].sum())

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        from raylm.kernels.pairs import pair_inputs

        del model
        return pair_inputs(batch)

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss
        from raylm.kernels.pairs import pair_loss

        found = head_loss(model, self.inputs(model, batch), batch["labels"], is_sparse=True)
        return {"masked": found.total, "sentence_order": pair_loss(found.output, batch)}

    def weights(self) -> Mapping[str, float]:
        return {"masked": 1.0, "sentence_order": self.pair_weight}
