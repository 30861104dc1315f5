"""`raylm evaluate` and `raylm.evaluate`: figures of real checkpoints, kept in the run."""

import itertools
import json
import math
import random
import sys

import pytest

from raylm.api.evaluate import evaluate
from raylm.config import BadInput
from raylm.runs.read import read
from raylm.runs.run import Run
from tests.every_objective import KINDS, runs_in, validation_text
from tests.tiny import CORPUS, tiny_recipe, train_alone

NOUNS = ("cat", "dog", "bird", "horse", "child", "king", "girl", "boy")
VERBS = ("sleeps", "runs", "sings", "waits", "jumps", "smiles")
ADJECTIVES = ("red", "old", "small", "happy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of an objective."""
    return runs_in(tmp_path_factory.mktemp("trained"))


def last_evaluation(run):
    records, _ = read(run, "metrics", None, limit=100_000)
    return [record for record in records if record.get("eval/loss") is not None][-1]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_task_the_losses_of_training_come_again(cli, trained, kind):
    run = trained(kind)
    code, out, _ = cli(run, "--json", "--limit", 1, "--force")
    record, expected = json.loads(out), last_evaluation(run)
    assert code == 0
    names = ["loss", "perplexity", *(["bits_per_byte"] if kind == "causal" else [])]
    assert [record["metrics"][name] for name in names] == pytest.approx(
        [expected[f"eval/{name}"] for name in names], rel=1e-5
    )
    assert ("bits_per_byte" in record["metrics"]) == (kind == "causal")
    assert ("pseudo_perplexity" in record["metrics"]) == (kind not in ("causal", "prefix"))
    assert ("left_to_right_bits_per_byte" in record["metrics"]) == (kind == "prefix")
    assert record == json.loads(run.folder.read("evaluations/step-00000020/validation.json"))


def test_text_in_windows_without_overlap_agrees_with_training(trained):
    run = trained("causal")
    plain = evaluate(run, {"kind": "text", "path": validation_text(run), "stride": 32}, name="stride32")
    assert plain["metrics"]["bits_per_byte"] == pytest.approx(
        last_evaluation(run)["eval/bits_per_byte"], rel=0.01
    )
    assert plain["counts"] == {
        "num_documents": 1,
        "num_tokens": 4000,
        "num_bytes": 4000,
        "num_unknown_tokens": 0,
    }


@pytest.mark.parametrize("kind", ["masked", "span_corruption", "permutation"])
def test_pseudo_figures_of_the_split_are_those_of_its_text(trained, kind):
    run = trained(kind)
    whole = evaluate(run, {"limit": 1}, name="whole")["metrics"]
    text = evaluate(run, {"kind": "text", "path": validation_text(run)})
    assert text["is_pseudo_likelihood"]
    for name in ("pseudo_loss", "pseudo_bits_per_byte"):
        assert text["metrics"][name] == pytest.approx(whole[name], rel=1e-3)


@pytest.fixture(scope="module")
def grammar(tmp_path_factory):
    """Return a folder with sentences, and pairs of others of which one has two words in the wrong order."""
    folder = tmp_path_factory.mktemp("grammar")
    every = list(itertools.product(ADJECTIVES, NOUNS, VERBS))
    random.Random(0).shuffle(every)
    lines = [f"the {adjective} {noun} {verb}" for adjective, noun, verb in every[60:] * 8]
    (folder / "good.txt").write_text("\n".join(lines) + "\n")
    pairs = [
        {
            "sentence_good": f"the {adjective} {noun} {verb}",
            "sentence_bad": f"the {noun} {adjective} {verb}",
            "UID": adjective,
        }
        for adjective, noun, verb in every[:60]
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return folder


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_a_model_prefers_sentences_like_those_it_learned_from(grammar, kind):
    sections = {
        **KINDS[kind],
        "tokenizer": {"kind": "word", "special_tokens": "bert" if kind == "masked" else "gpt"},
        "data": {"sources": [{"kind": "text", "path": str(grammar / "good.txt"), "by": "line"}]},
        "optimizer": {"learning_rate": 1e-2},
    }
    recipe = tiny_recipe(**sections, train={"max_steps": 100})
    run = train_alone(recipe, str(grammar / "runs"), kind)
    task = {"kind": "minimal_pairs", "path": str(grammar / "pairs.jsonl")}
    record = evaluate(run, task)
    assert record["counts"]["num_pairs"] == 60
    assert set(record["breakdown"]) == set(ADJECTIVES)
    assert record["metrics"]["accuracy"] > 0.9
    upside_down = evaluate(
        run, {**task, "good_field": "sentence_bad", "bad_field": "sentence_good"}, name="x"
    )
    assert upside_down["metrics"]["accuracy"] < 0.1


def test_a_result_says_what_was_measured_and_when(trained):
    run = trained("causal")
    task = {"kind": "text", "path": validation_text(run), "by": "paragraph", "limit": 3}
    record = evaluate(run, task, step=10, name="paragraphs")
    assert (record["kind"], record["run_id"], record["step"]) == ("text", "causal", 10)
    assert (record["settings"]["by"], record["settings"]["limit"]) == ("paragraph", 3)
    [(name, digest)] = record["data"].items()
    assert name.endswith("validation.txt")
    assert len(digest) == 64
    assert json.loads(run.folder.read("evaluations/step-00000010/paragraphs.json")) == record
    assert 1 <= len(record["examples"]) <= 3


def test_a_name_belongs_to_one_measurement_until_it_is_forced(cli, trained):
    run = trained("causal")
    task = ["--task", "text", "--data", validation_text(run), "--name", "mine", "--json"]
    assert cli(run, *task)[0] == 0
    assert cli(run, *task)[0] == 0
    code, _, err = cli(run, *task, "by=line")
    assert code == 2
    assert "mine of step 20 is there, with other settings; choose another name, or add --force" in err
    assert cli(run, *task, "by=line", "--force")[0] == 0
    assert json.loads(run.folder.read("evaluations/step-00000020/mine.json"))["settings"]["by"] == "line"


def test_the_table_shows_interval_chance_and_parts(cli, trained, grammar):
    run = trained("causal")
    code, out, err = cli(run, "--task", "minimal_pairs", "--data", grammar / "pairs.jsonl", "--limit", 20)
    lines = [line.split("\t") for line in out.splitlines() if line]
    assert code == 0
    assert lines[0][0] == "accuracy"
    assert " to " in lines[0][2]
    assert lines[0][3] == "0.500"
    assert [line[0] for line in lines[1:]] == sorted(ADJECTIVES)
    assert "num_pairs 20" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "x.txt"], "--task: is missing"),
        (["--task", "minimal_pair", "--data", "x"], "did you mean minimal_pairs"),
        (["--task", "text", "--data", "x", "strid=3"], "did you mean stride"),
        (["--task", "text"], "path: missing"),
        (["--task", "text", "--data", "/nowhere/x.txt"], "does not exist"),
        (["--task", "text", "--data", "x", "--lm-eval", "y"], "--lm-eval: has tasks and fields of its own"),
        (["--include-path", "."], "--include-path: is for --lm-eval"),
        (["--name", "a/b"], "--name: 'a/b' is not a run name"),
        (["--lm-eval", "no_such_task"], "no task no_such_task"),
        (["--lm-eval", "x", "--include-path", "/nowhere"], "/nowhere is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(cli, trained, arguments, message):
    code, out, err = cli(trained("causal"), *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_the_validation_split_must_be_the_one_trained_beside(cli, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(CORPUS.read_text())
    recipe = tiny_recipe(data={"sources": [{"kind": "text", "path": str(path)}]}, train={"max_steps": 5})
    run = train_alone(recipe, str(tmp_path / "runs"), "changed")
    path.write_text(CORPUS.read_text()[100:])
    code, _, err = cli(run)
    assert code == 2
    assert "the validation split is another one" in err


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["--lm-eval", "piqa"], "lm_eval"),
        (["--task", "linear_probe", "--data", str(CORPUS)], "sklearn.linear_model"),
    ],
)
def test_a_missing_package_is_named(cli, trained, monkeypatch, arguments, package):
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = cli(trained("causal"), *arguments)
    assert code == 2
    assert "pip install 'raylm[evaluate]'" in err


def test_perplexity_is_the_loss_raised(trained):
    run = trained("causal")
    metrics = evaluate(run, {"kind": "text", "path": validation_text(run)})["metrics"]
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["loss"]))
    assert metrics["bits_per_byte"] == pytest.approx(metrics["loss"] / math.log(2))  # a token a byte


def test_a_run_without_a_checkpoint_cannot_be_evaluated(tmp_path):
    run = Run.create(str(tmp_path), "empty")
    run.folder.write("launches/1.yaml", tiny_recipe().to_yaml().encode())
    with pytest.raises(BadInput, match="no checkpoint"):
        evaluate(run)
