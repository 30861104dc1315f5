"""What a training objective is; every other file here is one objective.

An objective says what a row of the data is (`row_plan`), how rows become a batch (`make_batch`), how many
targets each of its losses has (`counts`) and what the losses are (`loss`). Losses are sums, never means: the
engine divides by the count over all micro-batches and workers, so that any batching gives the same gradient.
What is drawn at random is drawn by each row's own generator, so that a resumed run draws it again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import model_validator

from raylm.config.choice import Choice
from raylm.config.errors import BadInput, Problem
from raylm.config.sections import knob
from raylm.kernels.frame import IGNORE_INDEX, Batch, Frame, Request, Scoring
from raylm.kernels.rows import Row, RowPlan, Span, Split

__all__ = [
    "IGNORE_INDEX",
    "Batch",
    "Frame",
    "HidesTokens",
    "JudgesPairs",
    "Objective",
    "ReadsRecords",
    "Request",
    "Row",
    "RowPlan",
    "Scoring",
    "Span",
    "Split",
]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.pairs import Pair
    from raylm.kernels.task_rows import Placed

Head: TypeAlias = Literal[
    "causal",
    "masked",
    "pretraining",
    "seq2seq",
    "permutation",
    "sequence_classification",
    "token_classification",
    "question_answering",
]
"""What a model needs on top: next tokens, hidden tokens, hidden tokens and a verdict on a pair of texts, a
decoder of its own, tokens in any order; classes of texts, of tokens, the ends of answers."""


class Objective(Choice):
    """What the model learns to predict."""

    head: ClassVar[Head] = "causal"
    """What the model must have on top."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Roles of the tokenizer without which no batch can be made, such as "mask_token"."""
    shortest: ClassVar[int] = 2
    """Tokens that a sequence must have room for."""
    predicts_tokens: ClassVar[bool] = True
    """Whether its targets are tokens of the vocabulary."""
    learns_task: ClassVar[bool] = False
    """Whether it learns the rows of a task, which have targets of their own, as opposed to texts."""
    target_dtype: ClassVar[Literal["int32", "float32", "uint8"]] = "int32"
    """How a task's targets are stored: ids, numbers, or marks of what is to be learned."""
    keeps_documents_apart: ClassVar[bool] = False
    """Whether rows may hold several documents that do not see each other."""
    is_likelihood: ClassVar[bool] = False
    """Whether its loss, summed, is the negative log-likelihood of the text, so that bits per byte are."""
    scores_in_order: ClassVar[bool] = False
    """Whether `scoring` predicts each token from those before it: a likelihood, not a pseudo-likelihood."""

    @abstractmethod
    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        """Return which spans of the split make up each row; the split knows how documents are packed."""

    @abstractmethod
    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Turn B rows into tensors (B, sequence_length): the model's inputs and what the loss needs."""

    def counts(self, batch: Batch) -> dict[str, int]:
        """Return how many targets each named loss has in the batch; known before the forward pass."""
        return {"loss": int((batch["labels"] != IGNORE_INDEX).sum())}

    def num_inputs(self, batch: Batch) -> int:
        """Return the tokens that the model reads in the batch, padding left out."""
        mask = batch.get("attention_mask")
        return batch["input_ids"].numel() if mask is None else int(mask.sum())

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        """Return what the model's forward takes of a batch; its logits then have the shape of the labels."""
        del model
        return {name: tensor for name, tensor in batch.items() if name != "labels"}

    @abstractmethod
    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """Run the model and return each named loss as a float32 sum over its targets."""

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        """Return the rows that give each request's log-probability, or its pseudo-log-probability.

        The log-probability of a request is the sum of log p(label) over the labels of its rows. Where the
        model does not predict left to right, each token is predicted from all the others, which sums to the
        pseudo-log-likelihood (Salazar et al. 2020, section 2).

        Raises:
            BadInput: the model predicts no tokens.
        """
        del requests, frame
        name = self.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
        message = f"a model of {name} gives no text a probability"
        mend = "evaluate it on its own task: raylm evaluate RUN"
        raise BadInput.one("--task", message, mend, code="fit")

    def problems(self, frame: Frame) -> list[Problem]:
        """Return why no batch can be made with this tokenizer; nothing when one can."""
        missing = [role for role in self.needs if frame.vocabulary.role(role) is None]
        if not missing:
            return []
        message = f"{self.kind} needs a tokenizer with {' and '.join(missing)}"  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
        return [Problem("objective", message, "set tokenizer.special_tokens", code="special_tokens")]

    def weights(self) -> Mapping[str, float]:
        """Return how much each named loss counts; the first one is that of the batch's `labels`."""
        return {"loss": 1.0}


class ReadsRecords(Objective):
    """What the objectives share that read a task's row whole and say something of it."""

    predicts_tokens: ClassVar = False
    learns_task: ClassVar = True
    problem_type: ClassVar[str | None] = None
    """What transformers calls the kind of the classes."""

    @abstractmethod
    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return the targets of the rows as `labels`."""

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.record_rows(sequence_length)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids`, `attention_mask`, `token_type_ids` (B, L) and `labels`; a long row is cut."""
        import torch

        from raylm.kernels.task_rows import encoder_batch, kept_places

        kept = [kept_places(row.arrays[0], frame) for row in rows]
        placed = encoder_batch([row.arrays[0] for row in rows], kept, frame.vocabulary)
        return {**placed.inputs, "labels": torch.from_numpy(self.labels(rows, placed))}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        from raylm.kernels.task_rows import INPUTS, reads_token_types

        names = INPUTS if reads_token_types(model) else INPUTS[:2]
        return {name: batch[name] for name in names}

    def weights(self) -> Mapping[str, float]:
        """Return the loss, and beside it the share of right verdicts, which nothing is learned from."""
        return {"loss": 1.0, "accuracy": 0.0}


class HidesTokens(Objective):
    """What the objectives share that hide tokens and have them guessed."""

    mask_share: float = knob(0.15, gt=0, lt=1)
    """Share of the tokens that are to be guessed."""
    masking: Literal["dynamic", "static"] = "dynamic"
    """dynamic: other tokens each time a row is drawn (Liu et al. 2019, section 4.1); static: the same."""
    whole_words: bool = False
    """Whether all pieces of a word are hidden together."""
    replace_share: float = knob(0.8, ge=0, le=1, advanced=True)
    """Share of the hidden tokens in whose place the mask token stands."""
    random_share: float = knob(0.1, ge=0, le=1, advanced=True)
    """Share of the hidden tokens in whose place a random one stands; the rest stay as they are."""

    needs: ClassVar = ("mask_token", "cls_token", "sep_token")
    shortest: ClassVar = 3

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.replace_share + self.random_share > 1:
            raise ValueError(
                f"replace_share ({self.replace_share}) and random_share ({self.random_share}) "
                "make more than 1"
            )
        return self

    def hide(
        self, tokens: NDArray[np.int64], row: Row, frame: Frame
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return a row's tokens (N,) with some hidden, and their labels (N,)."""
        from raylm.kernels.masking import Masking, hide

        masking = Masking(self.mask_share, self.replace_share, self.random_share, self.whole_words)
        rng = row.fixed_rng(frame.seed) if self.masking == "static" else row.rng(frame.seed)
        return hide(tokens, masking, frame.vocabulary, rng)

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        from raylm.kernels.scoring import one_hidden

        return one_hidden(requests, frame)


class JudgesPairs(HidesTokens):
    """What the objectives share that also have a pair of texts judged; each says what a pair is."""

    pair_weight: float = knob(1.0, ge=0, le=100)
    """How much the verdict on pairs counts beside the hidden tokens."""

    head: ClassVar = "pretraining"
    shortest: ClassVar = 5

    @abstractmethod
    def pair(self, row: Row, frame: Frame, rng: np.random.Generator) -> Pair:
        """Return the texts of a row and whether they belong together; `rng` draws what is drawn of pairs."""

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        from raylm.kernels.pairs import NUM_SPECIAL

        return split.sentence_rows(sequence_length - NUM_SPECIAL)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return two texts a row; `pair_labels` (B,) are 0 where they belong together, else 1."""
        from raylm.kernels.pairs import SEED, pair_batch

        seed = frame.seed ^ SEED
        rngs = [row.fixed_rng(seed) if self.masking == "static" else row.rng(seed) for row in rows]
        pairs = [self.pair(row, frame, rng) for row, rng in zip(rows, rngs, strict=True)]
        joined = [pair.joined(frame.vocabulary) for pair in pairs]
        hidden = [self.hide(tokens, row, frame) for tokens, row in zip(joined, rows, strict=True)]
        return pair_batch(pairs, hidden, frame)

    def counts(self, batch: Batch) -> dict[str, int]:
        return {"masked": super().counts(batch)["loss"], self._name: len(batch["pair_labels"])}

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        del model
        return {name: tensor for name, tensor in batch.items() if not name.endswith("labels")}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss
        from raylm.kernels.pairs import pair_loss

        found = head_loss(model, self.inputs(model, batch), batch["labels"], is_sparse=True)
        return {"masked": found.total, self._name: pair_loss(found.output, batch)}

    def weights(self) -> Mapping[str, float]:
        return {"masked": 1.0, self._name: self.pair_weight}

    @property
    def _name(self) -> str:
        """The verdict's loss is called as the objective is."""
        return self.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
