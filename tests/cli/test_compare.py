"""`raylm runs compare` and the evaluations of `raylm runs show`."""

import json
import math

import pytest

from raylm.api.compare import Comparison
from raylm.cli import main
from raylm.cli.compare import drawings, in_words
from raylm.runs import Run
from tests.tiny import CORPUS, tiny_recipe, train_alone


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    """Return a storage with two runs of two learning rates, and one of another text."""
    folder = tmp_path_factory.mktemp("compared")
    place = str(folder / "runs")
    (folder / "other.txt").write_text(CORPUS.read_text()[5_000:35_000])
    other = {"sources": [{"kind": "text", "path": str(folder / "other.txt"), "licence": "MIT"}]}
    slow = train_alone(tiny_recipe(), place, "slow")
    fast = train_alone(tiny_recipe(optimizer={"learning_rate": 3e-2}), place, "fast")
    train_alone(tiny_recipe(data=other, train={"max_steps": 10}), place, "other")
    for run, accuracy in ((slow, 0.5), (fast, 0.625)):
        record = {
            "name": "piqa",
            "kind": "multiple_choice",
            "step": 20,
            "settings": {},
            "data": {"piqa.jsonl": "a" * 64},
            "metrics": {"accuracy": accuracy, "by_byte": 0.1, "by_sum": 0.2, "by_token": 0.3},
            "intervals": {"accuracy": [accuracy - 0.1, accuracy + 0.1]},
        }
        run.folder.write("evaluations/step-00000020/piqa.json", json.dumps(record).encode())
    return place


@pytest.fixture
def cli(capsys, storage):
    """Return a function that runs `raylm runs ...` and gives (exit code, standard output, standard error)."""

    def cli(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["runs", *arguments, "--storage", storage])
        return end.value.code or 0, *capsys.readouterr()

    return cli


def comparison(**tables):
    """Return a comparison of two runs of which all is known and nothing differs, but for these tables."""
    runs = [{"label": "a", "unknown": []}, {"label": "b", "unknown": []}]
    empty = {name: {} for name in ("recipe", "data", "sources", "code", "environment")}
    return Comparison(**{"runs": runs, "evaluations": [], "notes": [], **empty, **tables})


def rows(out):
    """Return what was printed as cells by the first cell."""
    return {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines() if "\t" in line}


def test_the_first_line_says_what_differs(cli):
    code, out, err = cli("compare", "slow", "fast")
    assert code == 0
    assert out.splitlines()[0] == "differ in optimizer.learning_rate; same data, same code, same environment"
    assert err == ""


def test_only_what_differs_has_a_section(cli):
    out = cli("compare", "slow", "fast")[1]
    titles = [
        line for before, line in zip(out.splitlines(), out.splitlines()[1:], strict=False) if not before
    ]
    assert [title.partition(":")[0] for title in titles] == [
        "runs",
        "train/loss, steps 1 to 20",
        "metrics",
        "evaluations",
        "recipe",
    ]
    assert rows(out)["optimizer.learning_rate"] == ["0.003", "0.03"]


def test_an_evaluation_stands_with_interval_and_difference(cli):
    out = cli("compare", "slow", "fast")[1]
    assert rows(out)["piqa accuracy"] == ["0.5 [0.4, 0.6] at 20", "0.625 [0.525, 0.725] +0.125 at 20"]
    assert rows(cli("compare", "slow", "other")[1])["piqa accuracy"] == ["0.5 [0.4, 0.6] at 20", "-"]


def test_another_text_is_named_with_its_licence_and_its_documents(cli):
    code, out, err = cli("compare", "slow", "other")
    assert code == 0
    assert "data (tiny_corpus, other)" in out.splitlines()[0]
    assert rows(out)["source other"][0] == "-"
    assert rows(out)["source other"][1].startswith("1 documents, 30,001 tokens, licence MIT, ")
    assert err.startswith("note: the data differ")


def test_json_has_all_of_it(cli):
    code, out, _ = cli("compare", "slow", "fast", "other", "--json")
    values = json.loads(out)
    assert code == 0
    assert values["summary"].startswith("differ in ")
    assert [run["run_id"] for run in values["runs"]] == ["slow", "fast", "other"]
    assert len(values["runs"][0]["curves"]["train/loss"]) == 20
    assert len(values["runs"][2]["curves"]["train/loss"]) == 10
    assert values["recipe"]["optimizer.learning_rate"] == [0.003, 0.03, 0.003]
    assert values["evaluations"][0]["runs"][1]["difference"] == 0.125
    assert values["evaluations"][0]["runs"][2] is None


@pytest.mark.parametrize(
    ("references", "line"),
    [
        (["slow"], "run: one run has nothing to differ from; name two or more"),
        (["slow", "slow"], "run: slow is given twice; name each run once"),
        (["slow", "fasst"], "run: no run answers to 'fasst'; did you mean fast?"),
        (["slow", "fast@20"], "run: names a checkpoint, not a run; runs are compared whole: fast"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_2(cli, references, line):
    assert cli("compare", *references) == (2, "", f"{line}\n")


def test_a_run_that_has_not_begun_is_said_to_be_unknown(cli, storage):
    run = Run.create(storage, "waiting", {"git": None})
    run.claim_launch(Run.open(storage, "slow").recipe_yaml(), how="here")
    first = cli("compare", "slow", "waiting")[1].splitlines()[0]
    assert first.startswith("differ in code (git")
    assert first.endswith("; same recipe; data of waiting not known, environment of waiting not known")


def test_show_lists_the_evaluations(cli):
    code, out, _ = cli("show", "fast")
    assert code == 0
    assert rows(out)["piqa"] == ["20", "accuracy 0.6250, by_byte 0.1000, by_sum 0.2000, ..."]
    [one] = json.loads(cli("show", "fast", "--json")[1])["evaluations"]
    assert (one["name"], one["step"], one["metrics"]["by_token"]) == ("piqa", 20, 0.3)
    assert one["intervals"]["accuracy"] == [0.525, 0.725]


def test_a_section_of_another_kind_or_of_one_run_is_one_word():
    recipe = {
        "model.kind": ["gpt2", "bert"],
        "model.dropout": [0.1, None],
        "adapter.kind": [None, "lora"],
        "adapter.rank": [None, 4],
        "train.seed": [0, 1],
    }
    assert in_words(comparison(recipe=recipe)).startswith("differ in model.kind, adapter and train.seed; ")
    many = {f"train.field_{number}": [0, 1] for number in range(9)}
    assert "train.field_5 and 3 more fields; " in in_words(comparison(recipe=many))


def test_words_tell_other_data_from_the_same_data_in_another_order():
    order = in_words(comparison(data={"order": ["a", "b"]}))
    assert order == "differ in how the same data is drawn; same recipe, same code, same environment"
    assert in_words(comparison()) == "same recipe, same data, same code, same environment"


def test_curves_are_drawn_on_one_scale_of_steps_and_heights():
    whole, half, broken = drawings(
        [
            [(step, float(10 - step)) for step in range(10)],
            [(step, 8.0) for step in range(5)],
            [(0, 0.0), (9, math.nan)],
        ],
        width=10,
    )
    assert (whole[0], whole[-1]) == ("█", "▁")
    assert half == "▇▇▇▇▇"
    assert broken == "▁▁▁▁▁▁▁▁▁!"
    assert drawings([[(1, 1.0)], []], width=10)[1] == ""
