"""`raylm evaluate` of runs with a task: on rows of their own, on files, and what is refused."""

import json
import sys

import pytest

from raylm.api.evaluate import evaluate
from tests.engine.answers.every_task import runs_in, write_rows
from tests.tiny import tiny_recipe, train_alone


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of a kind of answer."""
    return runs_in(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return a run without a task."""
    storage = str(tmp_path_factory.mktemp("plain"))
    return train_alone(tiny_recipe(train={"max_steps": 5}), storage, "plain")


def test_a_run_is_asked_for_its_task_on_its_test_split(cli, trained):
    run = trained("label")
    code, out, err = cli(run)
    assert code == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[0] for line in lines[:3]] == ["accuracy", "macro_f1", "matthews_correlation"]
    assert len(lines[0]) == 5  # metric, value, interval, two baselines
    assert lines[3][0].startswith("accuracy minus that of tf-idf with logistic regression: ")
    assert {"a", "c", "f", "h", "s"} & {line[0] for line in lines[4:]}
    assert "tokens" in lines[-1][0]
    assert "step 5, test split: num_records" in err
    record = json.loads(run.folder.read("evaluations/step-00000005/sequence_classification.json"))
    assert record["kind"] == "sequence_classification"
    assert record["settings"]["split"] == "test"
    assert not record["is_pseudo_likelihood"]
    assert len(record["examples"]) == min(10, record["counts"]["num_records"])
    qualities = [each["quality"] for each in record["examples"]]
    assert qualities == sorted(qualities)


@pytest.mark.parametrize(
    ("kind", "metric", "baseline"),
    [
        ("labels", "micro_f1", "tf-idf with logistic regression"),
        ("value", "pearson", "tf-idf with ridge regression"),
        ("tags", "f1", "dictionary"),
        ("span", "f1", "random span"),
        ("text by t5", "bleu", "copy of the source"),
        ("text by gpt2", "bleu", "copy of the source"),
        ("likelihood of chats", "bits_per_byte", "character bigrams"),
    ],
)
def test_every_kind_of_answer_is_evaluated(cli, trained, kind, metric, baseline):
    code, out, err = cli(trained(kind), "--split", "train", "--limit", 12, "--json", "--name", "short")
    assert code == 0, err
    record = json.loads(out)
    assert next(iter(record["metrics"])) == record["difference"]["metric"] == metric
    assert [*record["baselines"]][-1] == record["difference"]["baseline"] == baseline
    assert record["counts"]["num_records"] == 12
    assert record["examples"][0]["place"].startswith("train:")
    low, high = record["intervals"][metric]
    assert low <= high


def test_files_are_asked_with_the_runs_own_fields(cli, trained, tmp_path):
    run, path = trained("value"), write_rows(tmp_path / "rows.jsonl", 20, seed=1)
    given = ["--task", "sequence_classification", "--data", path, "--name", "files", "--json"]
    code, out, err = cli(run, *given)
    assert code == 0, err
    record = json.loads(out)
    assert record["settings"]["label_field"] == "value"
    assert "pearson" in record["metrics"]
    assert [*record["data"]] == [str(path)]
    assert record["examples"][0]["place"].startswith(f"{path}:")
    assert "tf-idf with ridge regression" in record["baselines"]
    code, out, _ = cli(run, *given)
    assert json.loads(out)["metrics"] == record["metrics"]  # the same settings and files: replaced
    code, _, err = cli(run, *given, "--limit", 5)
    assert (code, "files of step 5 is there, with other settings" in err) == (2, True)


def test_fields_of_the_source_may_be_given(cli, trained, tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text("anna\tx\tB-PER\nsees\tx\tO\n\notto\tx\tB-PER\nasks\tx\tO\nanna\tx\tB-PER\n")
    given = ["--task", "token_classification", "--data", path, "--json"]
    code, out, err = cli(trained("tags"), *given, "source.kind=conll", "source.tag_column=2")
    assert code == 0, err
    assert json.loads(out)["counts"]["num_records"] == 2


def test_a_pretrained_model_is_asked_how_likely_texts_are(cli, plain, tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", 5)
    code, out, err = cli(plain, "--task", "text_generation", "--data", path, "--json")
    assert code == 0, err
    record = json.loads(out)
    assert record["metrics"]["bits_per_byte"] > 0
    assert "baselines" not in record
    assert "the run has no rows of this task" in record["notes"][0]


def test_without_a_task_the_loss_is_still_measured(plain):
    assert evaluate(plain)["kind"] == "validation"


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("label", ["--task", "question_answering", "--data", "{rows}"], "does not answer question_answering"),
        ("label", ["--task", "question_answering", "--data", "{rows}"], "it answers sequence_classification"),
        (
            "label",
            [
                "--task",
                "sequence_classification",
                "--data",
                "{rows}",
                "is_regression=true",
                "label_field=value",
            ],
            "does not answer sequence_classification with these fields",
        ),
        ("text by gpt2", ["--task", "summarization"], "--data: is missing"),
        ("label", ["--task", "sequence_classification", "text_field=source"], "--data: is missing"),
        (
            "label",
            ["--task", "sequence_classification", "--data", "{rows}", "tekst_field=x"],
            "mean text_field",
        ),
        ("label", ["--task", "sequence_classification", "--data", "{bad}"], "{bad}:2): no 'label'"),
        ("label", ["--task", "sequence_classification", "--data", "{new}"], "{new}:1): label 'zebra'"),
        ("label", ["--task", "sequence_classification", "--data", "/nowhere/x.csv"], "does not exist"),
        ("label", ["--task", "sequence_clasification"], "did you mean sequence_classification"),
        ("label", ["--data", "{rows}", "tekst_field=x"], "mean text_field"),
        (
            "label",
            ["--task", "sequence_classification", "--data", "{rows}", "--split", "test"],
            "split: is for",
        ),
        ("label", ["--task", "text", "--data", "{rows}"], "gives no text a probability"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(cli, trained, tmp_path, kind, arguments, message):
    places = {"rows": write_rows(tmp_path / "rows.jsonl", 5), "bad": tmp_path / "bad.jsonl"}
    places["new"] = tmp_path / "new.jsonl"
    places["bad"].write_text('{"text": "anna", "label": "s"}\n{"text": "otto"}\n')
    places["new"].write_text('{"text": "anna", "label": "zebra"}\n')
    run = trained(kind)
    code, _, err = cli(run, *(argument.format(**places) for argument in arguments), "--name", "refused")
    assert code == 2
    assert message.format(**places) in err
    assert "Traceback" not in err


def test_a_run_without_a_task_has_no_rows_to_split(cli, plain):
    code, _, err = cli(plain, "--split", "test")
    assert (code, "split: is for the rows of a run's own task" in err) == (2, True)


def test_a_split_that_is_not_there_is_refused(cli, trained, tmp_path):
    from tests.engine.answers.every_task import recipe_of

    recipe = recipe_of("label", write_rows(tmp_path / "rows.jsonl"))
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"test_share": 0.0})})
    run = train_alone(recipe, str(tmp_path / "runs"), "no-test")
    code, _, err = cli(run, "--split", "test")
    assert (code, "no-test has no test split; it has train and validation" in err) == (2, True)
    code, _, err = cli(run)
    assert code == 0
    assert "the run has no test split: this is the validation split" in err


def test_a_missing_package_is_told_before_the_model_is_read(cli, trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    from raylm.engine.examinee import Examinee

    monkeypatch.setattr(Examinee, "of", lambda *_: pytest.fail("the model was read"))
    code, _, err = cli(trained("text by t5"))
    assert (code, "pip install 'raylm[finetune]'" in err) == (2, True)
