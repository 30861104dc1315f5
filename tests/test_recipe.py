import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import raylm.objectives
from raylm.config import BadInput
from raylm.objectives import Objective
from raylm.recipe import Recipe

EXAMPLE = Path(__file__).parents[1] / "examples" / "shakespeare_char.yaml"
HEAVY = ("torch", "transformers", "datasets", "ray")

TOY = """
\"\"\"Predict nothing.\"\"\"
from typing import Literal
from raylm.config import knob
from raylm.objectives import Objective

class Toy(Objective):
    \"\"\"A toy.\"\"\"

    kind: Literal["toy"] = "toy"
    share: float = knob(0.5, ge=0, le=1, unit="parts", group="Toys")
    \"\"\"How much of a toy.\"\"\"

    def row_plan(self, split, sequence_length): ...
    def make_batch(self, rows, frame): ...
    def scoring(self, requests, frame): ...
    def counts(self, batch): ...
    def num_inputs(self, batch): ...
    def loss(self, model, batch): ...
"""


def fields_of(section: str, kind: str | None = None) -> dict[str, dict]:
    described = next(each for each in Recipe.schema()["sections"] if each["name"] == section)
    fields = described["kinds"][kind]["fields"] if kind else described["fields"]
    return {field["name"]: field for field in fields}


def test_the_example_is_nanogpts_recipe():
    recipe = Recipe.load(EXAMPLE)
    assert recipe.optimizer.learning_rate == 1e-3
    assert recipe.schedule.min_learning_rate == 1e-4
    assert recipe.train.num_steps(num_rows=0) == 2000
    assert recipe.train.micro_batch(world_size=1) == 12
    assert Path(recipe.data.sources[0].path).is_file()


def test_a_recipe_survives_yaml_with_its_digest(tmp_path):
    recipe = Recipe.load(EXAMPLE, ["name='1234'", "trackers=[{kind: jsonl}]"])
    path = tmp_path / "copy.yaml"
    path.write_text(recipe.to_yaml())
    assert Recipe.load(path) == recipe
    assert Recipe.from_yaml(recipe.to_yaml()).digest() == recipe.digest()


def test_any_change_changes_the_digest():
    digests = {
        Recipe.load(EXAMPLE, change).digest() for change in ([], ["train.seed=1"], ["model.kind=llama"])
    }
    assert len(digests) == 3


def test_overrides_win_over_the_file():
    recipe = Recipe.load(EXAMPLE, ["train.max_steps=7", "schedule.warmup_steps=1", "checkpoint.every_steps=5",
                                   "evaluate.every_steps=null"])  # fmt: skip
    assert (recipe.train.max_steps, recipe.evaluate.every_steps) == (7, None)


def test_paths_are_found_from_the_recipes_folder_then_from_here(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "both.txt").write_text("x")
    (here / "only.txt").write_text("x")
    (there / "run.yaml").write_text(
        EXAMPLE.read_text().replace("data/tinyshakespeare/input.txt.gz", "both.txt")
    )
    monkeypatch.chdir(here)

    def path_of(*overrides: str) -> str:
        return Recipe.load("../there/run.yaml", overrides).data.sources[0].path

    assert Path(path_of()).resolve() == there / "both.txt"
    assert path_of("data.sources.0.path=both.txt") == str(here / "both.txt")
    assert path_of("data.sources.0.path=only.txt") == str(here / "only.txt")
    assert path_of("data.sources.0.path=s3://bucket/x.txt") == "s3://bucket/x.txt"


def test_a_target_needs_the_evaluation_it_compares():
    with pytest.raises(BadInput, match=r"train\.target_loss .*give evaluate\.every_steps"):
        Recipe.load(EXAMPLE, ["train.target_loss=1.5", "evaluate.every_steps=null"])


def test_the_lowest_rate_is_not_above_the_peak():
    with pytest.raises(BadInput, match=r"1 is more than optimizer\.learning_rate \(0\.001\); try 0\.0001"):
        Recipe.load(EXAMPLE, ["schedule.min_learning_rate=1"])


def test_a_default_period_longer_than_a_short_run_is_no_error():
    Recipe.load(EXAMPLE, ["train.max_steps=100", "checkpoint.every_steps=1000", "evaluate.every_steps=50"])


def test_form_values_are_checked_like_a_file():
    with pytest.raises(BadInput) as caught:
        Recipe.from_values({"name": "x", "train": {"max_steps": "many"}})
    problems = {problem.field: problem for problem in caught.value.problems}
    assert {"model", "data", "optimizer", "train.max_steps"} <= set(problems)
    assert problems["train.max_steps"].location == ""


def test_the_schema_is_json_and_tells_a_form_everything():
    assert json.loads(json.dumps(Recipe.schema())) == Recipe.schema()
    field = fields_of("train")["train.global_batch_size"]
    assert field == {
        "name": "train.global_batch_size",
        "title": "Global batch size",
        "type": "integer",
        "required": False,
        "default": 32,
        "minimum": 1,
        "maximum": 1_000_000,
        "unit": "sequences",
        "group": "Train",
        "help": "Sequences in one optimizer step, over all workers.",
        "advanced": False,
    }
    assert fields_of("train")["train.precision"]["enum"] == ["auto", "float32", "bfloat16"]
    assert fields_of("optimizer", "adamw")["optimizer.betas"]["items"] == "number"
    assert "text" in fields_of("data")["data.sources"]["kinds"]


def test_every_field_has_a_help_text():
    for section in Recipe.schema()["sections"]:
        kinds = section.get("kinds", {"": section})
        for described in kinds.values():
            assert [field["name"] for field in described["fields"] if not field["help"]] == []


def test_a_help_is_running_text_wherever_its_lines_are_broken_in_the_source():
    helps = list(helps_in(Recipe.schema()))
    assert [text for text in helps if text != " ".join(text.split())] == []
    assert any("all-linear: every linear layer but the head" in text for text in helps)


def helps_in(described):
    """Yield every help text of a schema, at any depth."""
    if isinstance(described, dict):
        if "help" in described:
            yield described["help"]
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            yield from helps_in(each)


def test_one_added_file_is_a_kind_like_any_other(tmp_path, monkeypatch):
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setattr(raylm.objectives, "__path__", [*raylm.objectives.__path__, str(tmp_path)])
    monkeypatch.setattr(Objective, "kinds", dict(Objective.kinds))
    importlib.invalidate_caches()
    raylm.config.discover("raylm.objectives")
    field = fields_of("objective", "toy")["objective.share"]
    assert (field["help"], field["unit"], field["group"]) == ("How much of a toy.", "parts", "Toys")
    monkeypatch.delitem(sys.modules, "raylm.objectives.toy")
    recipe = Recipe.load(EXAMPLE, ["objective={kind: toy, share: 0.25}"])
    assert recipe.objective.model_dump() == {"kind": "toy", "share": 0.25}
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


def test_a_plugin_named_in_the_recipe_is_a_kind_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(Objective, "kinds", dict(Objective.kinds))
    (tmp_path / "mine.py").write_text(TOY.replace("toy", "mine"))
    recipe = Recipe.load(EXAMPLE, [f"plugins=['{tmp_path}/mine.py']", "objective={kind: mine}"])
    assert recipe.objective.model_dump()["kind"] == "mine"


def test_a_missing_plugin_is_named():
    with pytest.raises(BadInput, match=r"plugins \(command line\): .*nowhere\.py cannot be read"):
        Recipe.load(EXAMPLE, ["plugins=[nowhere.py]"])


def test_the_schema_needs_none_of_the_heavy_libraries():
    code = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None  # importing it raises
from raylm.recipe import Recipe
Recipe.schema()
Recipe.load({str(EXAMPLE)!r})
from raylm.planning import plan
assert plan(Recipe.load({str(EXAMPLE)!r})).parameters
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_gives_its_names_lazily():
    code = f"import sys, raylm; assert not [name for name in {HEAVY!r} if name in sys.modules]; raylm.Recipe"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="nothing"):
        _ = raylm.nothing
