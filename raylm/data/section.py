"""The data section of a recipe: which texts, how they are split, where the tokens lie."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from raylm.config.sections import Section, knob
from raylm.data.sources import Source


class DataSection(Section):
    """Which texts to learn from, how they are split, where the tokens lie."""

    sources: tuple[Source, ...] = ()
    """Where the texts come from; read one after the other."""
    validation_share: float = knob(0.1, ge=0, lt=1)
    """Share of the text kept out of training, for the validation loss."""
    split_by: Literal["position", "document"] = "position"
    """position: the last share of the text is validation; document: whole documents are drawn for it."""
    split_seed: int = knob(0, ge=0, lt=2**63, advanced=True)
    """Draws the validation documents when split_by is document."""
    path: str | None = knob(None, advanced=True)
    """A dataset that is prepared already; the sources are then not read."""
    cache_path: str | None = knob(None, advanced=True)
    """Where a node keeps its copy of a dataset from remote storage; unset: ~/.cache/raylm/datasets."""

    @model_validator(mode="after")
    def _has_texts(self) -> Self:
        if not self.sources and self.path is None:
            raise ValueError("no texts: give sources, such as [{kind: text, path: corpus.txt}]")
        return self
