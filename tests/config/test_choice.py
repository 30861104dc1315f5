from typing import Literal

import pytest

from raylm.config import BadInput, Choice, Section, discover_entry_points, load_plugin


class Animal(Choice):
    """A family of two kinds."""


class Cat(Animal):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(Animal):
    kind: Literal["dog"] = "dog"


class Home(Section):
    animal: Animal


def test_a_kind_is_picked_by_its_name_and_keeps_its_fields():
    home = Home.model_validate({"animal": {"kind": "cat", "lives": 7}})
    assert home.model_dump() == {"animal": {"kind": "cat", "lives": 7}}
    assert Home.model_validate_json(home.model_dump_json()) == home


def test_two_kinds_of_one_name_are_refused():
    with pytest.raises(TypeError, match="both claim kind 'dog'"):

        class Wolf(Animal):
            kind: Literal["dog"] = "dog"

    assert Animal.kinds["dog"] is Dog


PLUGIN = """
from typing import Literal
from tests.config.test_choice import Animal

class Bird(Animal):
    kind: Literal["bird"] = "bird"
"""


def test_a_plugin_adds_a_kind_and_gives_its_digest(tmp_path):
    path = tmp_path / "bird.py"
    path.write_text(PLUGIN.replace("tests.config.test_choice", __name__))
    assert len(load_plugin(path)) == 64
    assert load_plugin(path) == load_plugin(path)
    assert "bird" in Animal.kinds


@pytest.mark.parametrize(
    ("text", "message"), [("1 / 0", "division by zero"), ("import nowhere_at_all", "nowhere_at_all")]
)
def test_a_broken_plugin_is_the_persons_error(tmp_path, text, message):
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        load_plugin(path)


def test_an_installed_package_adds_kinds_through_its_entry_point(tmp_path, monkeypatch):
    (tmp_path / "fish.py").write_text(
        PLUGIN.replace("tests.config.test_choice", __name__).replace("ird", "arracuda")
    )
    facts = tmp_path / "fish-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: fish\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[raylm.kinds]\nfish = fish\n")
    monkeypatch.syspath_prepend(tmp_path)
    discover_entry_points()
    assert "barracuda" in Animal.kinds
