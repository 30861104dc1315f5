"""Looking at prepared data: whose texts they are, what the filters did, how a tokenizer cuts them."""

import sys
from collections.abc import Sequence
from typing import ClassVar

from raylm.api import token_preview
from raylm.api.dataset_facts import facts_of
from raylm.api.dataset_samples import samples_of
from raylm.api.datasets import Chosen, Datasets, choose, choose_of
from raylm.api.questions import Json, Place, Questions
from raylm.config.errors import BadInput

MOST_DATASETS = 200  # that a list shows
MOST_ASKED = 1000  # that may be asked for at once


class Data(Questions):
    """The Data screen's questions. A dataset is named by its id in the list, or by a run that uses it."""

    READS: ClassVar = ("datasets", "dataset", "documents", "tokens_of_text", "text_of_tokens")
    LIGHT: ClassVar = READS

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._datasets = Datasets()

    def datasets(self, limit: int = MOST_DATASETS, offset: int = 0) -> Json:
        """Return {"rows", "count"}: prepared datasets, newest first, and how many there are."""
        for field, value, least, most in (
            ("limit", limit, 1, MOST_ASKED),
            ("offset", offset, 0, sys.maxsize),
        ):
            if type(value) is not int or not least <= value <= most:  # True is an int too
                message = f"{value!r} is not a whole number from {least} to {most}"
                raise BadInput.one(field, message, code="page")
        return self._datasets.page(self.place.storages(), limit, offset)

    def dataset(self, dataset_id: str = "", run_id: str = "") -> Json:
        """Return what a dataset holds and how it came about: see `raylm.api.dataset_facts`."""
        return facts_of(self._chosen(dataset_id, run_id), self.place.storages())

    def documents(self, dataset_id: str = "", run_id: str = "") -> list[Json]:
        """Return the beginnings of a few documents: source, number, text, num_tokens, is_cut."""
        return samples_of(self._chosen(dataset_id, run_id))

    def tokens_of_text(
        self,
        text: str,
        dataset_id: str = "",
        run_id: str = "",
        is_whole: bool = False,  # noqa: FBT001, FBT002 - a JSON argument
    ) -> Json:
        """Return a text's tokens with their ids, and how well they pack it."""
        return token_preview.tokens_of_text(self._chosen(dataset_id, run_id), text, is_whole=bool(is_whole))

    def text_of_tokens(self, ids: Sequence[int], dataset_id: str = "", run_id: str = "") -> Json:
        """Return the text of ids, the same way."""
        return token_preview.text_of_tokens(self._chosen(dataset_id, run_id), ids)

    def _chosen(self, dataset_id: str, run_id: str) -> Chosen:
        storages = self.place.storages()
        return choose_of(self.place.find(run_id), storages) if run_id else choose(dataset_id, storages)
