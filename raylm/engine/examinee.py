"""A checkpoint under evaluation: its model, tokenizer and objective together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from raylm.config.errors import BadInput
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizer_files import tokenizer_in
from raylm.data.trained_tokenizer import TrainedTokenizer
from raylm.engine.answers import Answered, Respondent, answers
from raylm.engine.features import Around, features
from raylm.engine.restore import Restored, restore
from raylm.engine.score import Report, Scorer, quiet
from raylm.evaluations import Score
from raylm.objectives import Frame, Objective, Request
from raylm.recipe import Recipe
from raylm.runs.run import Run
from raylm.tasks import Record, Task


@dataclass(frozen=True)
class Examinee:
    """What `raylm.evaluations` asks; see its contract."""

    restored: Restored
    recipe: Recipe
    tokenizer: TrainedTokenizer
    scorer: Scorer
    report: Report = quiet

    @classmethod
    def of(cls, run: Run, step: int | None, report: Report = quiet) -> Examinee:
        """Return a run's checkpoint, its newest good one when no step is given, on the GPU if there is one.

        Raises:
            BadInput: there is no such checkpoint, or it is damaged.
        """
        return cls.around(run, restore(run, step), report)

    @classmethod
    def around(cls, run: Run, restored: Restored, report: Report = quiet) -> Examinee:
        """Return a run's checkpoint that has been restored."""
        recipe = Recipe.from_yaml(run.recipe_yaml())
        restored.model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))  # pyright: ignore[reportArgumentType] - its stub wants more
        tokenizer = tokenizer_in(run.folder / "tokenizer", "tokenizer")
        frame = Frame(recipe.train.sequence_length, recipe.train.seed, tokenizer.vocabulary())
        return cls(restored, recipe, tokenizer, Scorer(restored.model, recipe.objective, frame), report)

    @property
    def step(self) -> int:
        """The checkpoint's."""
        return self.restored.checkpoint.step

    @property
    def data_digest(self) -> str | None:
        """The digest of the plan of the data that the checkpoint was trained beside."""
        return self.restored.checkpoint.facts.get("data_digest")

    @property
    def predicts_tokens(self) -> bool:
        """Whether texts have a probability to the model; it says something of them if not."""
        return self.recipe.objective.predicts_tokens

    @property
    def scores_in_order(self) -> bool:
        return self.recipe.objective.scores_in_order

    def request(self, context: str, text: str, place: str) -> Request:
        """Return the ids of a text after a context, cut as one text: a token over the border is the text's.

        A blank at the end of the context is the text's too, as tokens begin with their blanks.
        """
        border = len(context.rstrip())
        pieces = self.tokenizer.pieces(context + text)
        count = sum(1 for piece in pieces if piece.stop <= border) if border else 0
        ids = np.array([piece.id for piece in pieces], np.int64)
        if count == len(ids):
            raise BadInput.one("path", f"{text[:40]!r} has no token", "leave the row out", place, "no-token")
        return Request(ids[:count], ids[count:])

    def num_unknown(self, request: Request) -> int:
        unknown = self.tokenizer.unk_token_id
        return 0 if unknown is None else int((request.text == unknown).sum())

    def scores(self, requests: Sequence[Request], stride: int | None = None) -> list[Score]:
        return self.scorer.scores(requests, stride, self.report)

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        ids = [np.array(self.tokenizer.encode(text), np.int64) for text in texts]
        around = Around.of(self.restored.tokenizer)
        if self.scores_in_order and not around.before:  # it learned to begin a document behind this one
            around = around._replace(before=[self.tokenizer.eos_token_id])
        return features(self.restored.model, ids, around, self.scorer.frame.sequence_length, self.report)

    def respondent(self, task: Task, objective: Objective, *, may_abstain: bool = False) -> Respondent:
        """Return the model as one that answers records.

        Args:
            task: whose records they are.
            objective: that reads them, of the head that the model has.
            may_abstain: whether records may have no answer.
        """
        classes = getattr(self.restored.model.config, "id2label", None) or {}
        names = () if objective.predicts_tokens else tuple(classes[number] for number in sorted(classes))
        return Respondent(
            model=self.restored.model,
            encoder=TextEncoder(self.tokenizer, objective.kind, names),  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
            objective=objective,
            frame=self.scorer.frame,
            task=task,
            may_abstain=may_abstain,
            report=self.report,
        )

    def answers(self, respondent: Respondent, records: Sequence[Record]) -> Answered:
        """Return what the model says to records, one answer each."""
        return answers(respondent, records)
