"""The prepared data of a recipe, where it is there already."""

from raylm.config import BadInput
from raylm.data.packing import Packing
from raylm.data.prepare import Prepared, find_prepared
from raylm.data.shards import Dataset
from raylm.planning.vocabulary import is_small
from raylm.recipe import Recipe
from raylm.runs.folder import Folder
from raylm.runs.storages import resolve


def prepared_data(recipe: Recipe, storage: str | None) -> Prepared | None:
    """Return the dataset that the run would use, or None; a large corpus is not read to find out."""
    try:
        if recipe.data.path is None and not is_small(recipe.data.sources):
            return None
        return find_prepared(recipe.data, recipe.tokenizer, resolve(storage, recipe.storage), recipe.lesson)
    except (BadInput, OSError):
        return None  # preflight says what is wrong


def count_rows(recipe: Recipe, prepared: Prepared) -> int | None:
    """Return the training rows of a dataset on this machine; None for one elsewhere."""
    path = Folder.open(prepared.uri).local_path()
    if path is None:
        return None
    split = Dataset.open(path, Packing.of(recipe.data)).splits["train"]
    return recipe.objective.row_plan(split, recipe.train.sequence_length).num_rows
