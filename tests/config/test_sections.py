import pytest
from pydantic import ValidationError

from raylm.config import BadInput, Section, TrainSection, knob
from raylm.config.schema import describe_section


def train(**values) -> TrainSection:
    return TrainSection.model_validate({"max_steps": 10, **values})


@pytest.mark.parametrize(
    ("global_batch", "most", "world_size", "micro"),
    [(12, 12, 1, 12), (12, 5, 1, 4), (12, 12, 4, 3), (7, 4, 1, 1)],
)
def test_micro_batch_is_the_largest_divisor_of_a_workers_share(global_batch, most, world_size, micro):
    section = train(global_batch_size=global_batch, micro_batch_size=most)
    assert section.micro_batch(world_size) == micro


@pytest.mark.parametrize(("global_batch", "world_size", "mend"), [(30, 4, "try 32"), (2, 3, "try 3")])
def test_a_batch_that_cannot_be_shared_names_its_numbers_and_a_near_one(global_batch, world_size, mend):
    with pytest.raises(
        BadInput, match=rf"{global_batch} sequences.*{world_size} workers.*8 or fewer.*{mend}"
    ):
        train(global_batch_size=global_batch).micro_batch(world_size)


def test_tokens_and_epochs_are_rounded_up_to_whole_steps():
    sizes = {"global_batch_size": 4, "sequence_length": 8}
    assert TrainSection(max_tokens=33, **sizes).num_steps(num_rows=0) == 2
    assert TrainSection(epochs=1.5, **sizes).num_steps(num_rows=10) == 4


@pytest.mark.parametrize("value", [True, "8", "many"])
def test_a_number_is_not_taken_from_text_or_a_flag(value):
    with pytest.raises(ValidationError):
        train(seed=value)


def test_the_docstring_under_a_field_is_its_help():
    class Sample(Section):
        size: int = knob(1, unit="bytes")
        """How
        much."""
        plain: int = 1
        named: int = knob(1, description="By name.")

    class Child(Sample):
        more: int = 1
        """And more."""

    fields = {field["name"]: field for field in describe_section(Child)}
    assert {name: field["help"] for name, field in fields.items()} == {
        "size": "How much.",
        "plain": "",
        "named": "By name.",
        "more": "And more.",
    }
    assert fields["size"]["unit"] == "bytes"


def test_a_section_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        train().seed = 1
