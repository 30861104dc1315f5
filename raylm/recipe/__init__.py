"""The recipe: all that decides what a run computes, composed of sections and read from one YAML file."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from raylm.config import BadInput, Problem, dump_yaml, load_plugin, load_yaml
from raylm.config.card import Card, Shown
from raylm.config.environment import expand, secrets_in, unset_references
from raylm.config.overrides import PLACE, apply_override, read_overrides
from raylm.config.plain import plain_values
from raylm.config.report import Origin, problems_of
from raylm.config.schema import describe_recipe
from raylm.config.source_paths import absolute_paths
from raylm.config.yaml import Document, KeyPath, parse_yaml
from raylm.recipe.card import recipe_card
from raylm.recipe.init import with_init
from raylm.recipe.rules import RULES, token_problems
from raylm.recipe.sections import FAMILIES, FORMAT, Sections

__all__ = ["FAMILIES", "FORMAT", "Recipe", "canonical_json", "token_problems"]


class Recipe(Shown, Sections):
    """One run, whole: model, data, objective, optimizer, length, workers."""

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = (), storage: str | None = None) -> Self:
        """Read a YAML file, then lay overrides such as `train.max_steps=100` over it.

        Relative paths in the file are resolved against its folder, then the working directory; those of an
        override the other way round. `storage` is where runs are looked for that `init.from` names, in place
        of the recipe's.

        Raises:
            BadInput: holds everything that is wrong with the file and the overrides, each with its place.
        """
        return cls._of_document(load_yaml(path), overrides, storage)

    @classmethod
    def from_yaml(cls, text: str, overrides: Iterable[str] = (), name: str = "recipe.yaml") -> Self:
        """Return the recipe of a file's text, such as one that `to_yaml` wrote; as `load` otherwise."""
        return cls._of_document(parse_yaml(text, name), overrides)

    @classmethod
    def _of_document(cls, document: Document, overrides: Iterable[str], storage: str | None = None) -> Self:
        path = Path(document.path)
        places = {key: f"{path.name}:{line}" for key, line in document.lines.items()}
        values: Any = document.values
        changes, problems = read_overrides(overrides)
        for change in changes:
            try:
                values = apply_override(values, change)
            except BadInput as error:
                problems += error.problems
                continue
            places = {key: place for key, place in places.items() if key[: len(change.path)] != change.path}
            places[change.path] = PLACE
        return cls._validated(Origin(values, places), path.absolute().parent, problems, storage)

    @classmethod
    def from_values(
        cls, values: Mapping[str, Any], lines: Mapping[KeyPath, int] | None = None, path: str | Path = ""
    ) -> Self:
        """Return the recipe of raw values, such as a form's or a document's.

        Raises:
            BadInput: holds everything that is wrong with the values.
        """
        name = Path(path).name
        places = {key: f"{name}:{line}" for key, line in (lines or {}).items()}
        return cls._validated(
            Origin(values, places), Path(path).absolute().parent if path else Path.cwd(), []
        )

    @classmethod
    def _validated(
        cls, origin: Origin, folder: Path, problems: list[Problem], storage: str | None = None
    ) -> Self:
        newer = _format_problem(origin)
        if newer:
            raise BadInput(newer)
        origin = origin._replace(values=expand(origin.values, os.environ))
        problems = [*problems, *secrets_in(origin), *unset_references(origin)]
        if not problems:  # a path with an unset variable in it leads nowhere
            origin = origin._replace(values=absolute_paths(origin, folder))
            problems = _load_plugins(origin)
            origin, found = with_init(origin, folder, storage)
            if found:  # what the weights would bring along is not there to be checked
                raise BadInput(*problems, *_located(found, origin))
        try:
            recipe = cls.model_validate(origin.values)
        except ValidationError as error:
            raise BadInput(*problems_of(error, cls, origin, problems)) from None
        problems += _located(recipe.rule_problems(), origin)
        if problems:
            raise BadInput(*problems)
        return recipe

    def rule_problems(self) -> list[Problem]:
        """Return what is wrong between fields that are each right on their own."""
        return [problem for rule in RULES for problem in rule(self)]

    def to_yaml(self) -> str:
        """Return the whole recipe, defaults included, as YAML that `load` reads back to an equal recipe."""
        return dump_yaml(plain_values(self))

    def _card(self) -> Card:
        return recipe_card(self)

    def __repr__(self) -> str:
        return self._card().text()

    def digest(self) -> str:
        """Return the sha256 of the recipe's canonical JSON, in hexadecimal."""
        return sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()

    @classmethod
    def schema(cls) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - a name pydantic left
        """Return every field with its type, limits, unit and help, as a form needs them."""
        return describe_recipe(cls)


def canonical_json(values: Any) -> str:
    """Return JSON that is the same text for equal values: sorted keys, no blanks."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _format_problem(origin: Origin) -> Problem | None:
    number = origin.values.get("format")
    if not isinstance(number, int) or number <= FORMAT:
        return None
    message = f"{number} is newer than the {FORMAT} that this raylm reads"
    return Problem("format", message, "pip install --upgrade raylm", origin.place(("format",)), "format")


def _load_plugins(origin: Origin) -> list[Problem]:
    paths = origin.values.get("plugins")
    problems: list[Problem] = []
    for path in paths if isinstance(paths, list) else []:
        try:
            load_plugin(str(path))
        except BadInput as error:
            problems += _located(error.problems, origin)
    return problems


def _located(problems: Iterable[Problem], origin: Origin) -> list[Problem]:
    return [
        replace(problem, location=problem.location or origin.place(tuple(problem.field.split("."))))
        for problem in problems
    ]
