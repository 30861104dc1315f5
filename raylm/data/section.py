"""The data section of a recipe: which texts, how they are cleaned, split and packed, where the tokens lie."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from raylm.config.sections import Section, knob
from raylm.data.filters import Filter
from raylm.data.sources import Source


class DataSection(Section):
    """Which texts to learn from, how they are cleaned, split and packed, where the tokens lie."""

    sources: tuple[Source, ...] = ()
    """Where the texts come from; read one after the other."""
    filters: tuple[Filter, ...] = ()
    """What is kept out or mended, in this order."""
    validation_share: float = knob(0.1, ge=0, lt=1)
    """Share of the text kept out of training, for the validation loss; of sources whose split is share."""
    test_share: float = knob(0.0, ge=0, lt=1, advanced=True)
    """Share kept out of training and of every decision, for the evaluation at the end."""
    split_by: Literal["position", "document"] = "position"
    """position: the last share of the text is validation; document: whole documents are drawn for it."""
    split_seed: int = knob(0, ge=0, lt=2**63, advanced=True)
    """Draws the validation documents when split_by is document."""
    on_overlap: Literal["note", "fail"] = knob("note", advanced=True)
    """What happens when a validation document stands word for word in the training split too."""
    packing: Literal["stream", "best_fit", "document"] = "stream"
    """stream: rows cut from one long text; best_fit: whole documents put together into rows with few cuts
    (Ding et al. 2024); document: one document a row."""
    long_documents: Literal["split", "truncate", "drop"] = knob("split", advanced=True)
    """What becomes of a document longer than a row, unless packing is stream: cut into rows, its first row
    only, or left out."""
    attend_across_documents: bool = knob(default=True, advanced=True)
    """Whether a token may look at other documents in its row."""
    num_workers: int | None = knob(None, unit="processes", ge=1, le=1024, advanced=True)
    """Processes that prepare the data; unset: one a core when there is much to do."""
    path: str | None = knob(None, advanced=True)
    """Where the prepared dataset lies or is to lie; what is there is used, the sources are not looked at."""
    cache_path: str | None = knob(None, advanced=True)
    """Where a node keeps its copy of a dataset from remote storage; unset: ~/.cache/raylm/datasets."""

    @model_validator(mode="after")
    def _has_texts(self) -> Self:
        if not self.sources and self.path is None:
            raise ValueError("no texts: give sources, such as [{kind: text, path: corpus.txt}]")
        return self

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"validation_share ({self.validation_share}) and test_share ({self.test_share}) leave "
                "nothing to train on; try 0.1 and 0.1"
            )
        return self

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        given = [source.name for source in self.sources if source.name]
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise ValueError(f"two sources are named {twice[0]}; give each a name of its own")
        return self

    def source_names(self) -> tuple[str, ...]:
        """Return what each source is called, its own name or its file's; no two are the same."""
        names: list[str] = []
        for source in self.sources:
            base = source.name or source.label()
            taken = sum(name == base or name.startswith(f"{base}-") for name in names)
            names.append(f"{base}-{taken + 1}" if base in names else base)
        return tuple(names)
