"""What a notebook shows of a recipe: each section, with what differs from the default."""

from collections.abc import Iterator
from typing import Any

from raylm.config import BadInput, Section
from raylm.config.card import Card
from raylm.models import CLASSIFYING
from raylm.recipe.sections import Sections

_LONGEST = 80  # characters of one value
_MOST = 2  # items of a list


def recipe_card(recipe: Sections) -> Card:
    """Return what is shown of a recipe; figures that take reading its data are left to `raylm plan`."""
    fields = type(recipe).model_fields
    own = [name for name in fields if not isinstance(getattr(recipe, name), Section)]
    rows = [
        (name, _value(getattr(recipe, name)))
        for name in own
        if name not in ("format", "name") and getattr(recipe, name)
    ]
    sections = [name for name in fields if name not in own]
    return Card(
        f"Recipe {recipe.name}",
        [
            *((name, _section(getattr(recipe, name))) for name in sections),
            *rows,
            ("parameters", _parameters(recipe)),
            ("tokens", _tokens(recipe)),
        ],
    )


def _section(section: Section) -> str:
    """Return a section's kind and what differs from the default, or that nothing does."""
    kind = getattr(section, "kind", "")
    return ", ".join(([kind] if kind else []) + list(_changes(section))) or "as usual"


def _changes(section: Section) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        usual = (
            None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
        )
        if name != "kind" and value != usual:
            yield f"{name} {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Section):
        return _section(value)
    if isinstance(value, tuple | list):
        more = f", and {len(value) - _MOST} more" if len(value) > _MOST else ""
        return f"[{', '.join(_value(item) for item in value[:_MOST])}{more}]"
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"  # the end of a path tells more


def _parameters(recipe: Sections) -> str:
    """Return the model's size where it is known without reading texts or building the model."""
    vocab_size, head = getattr(recipe.tokenizer, "vocab_size", None), recipe.objective.head
    if not isinstance(vocab_size, int) or head in CLASSIFYING:
        return ""
    try:
        return f"{recipe.model.language_parameters(vocab_size, recipe.train.sequence_length, head):,}"
    except BadInput:  # of a folder that is not there: preflight says so
        return ""


def _tokens(recipe: Sections) -> str:
    train = recipe.train
    if train.epochs is not None:
        return f"{train.epochs:g} passes over the training split"
    steps = train.num_steps(0)
    return f"{steps * train.tokens_per_step:,} in {steps:,} steps"
