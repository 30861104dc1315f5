"""What answers are worth: intervals, baselines, parts, the worst rows, and what is said of them in words."""

import json
import math

import pytest

from raylm.config import BadInput
from raylm.engine.exam import Exam, own_exam
from raylm.engine.exam_files import Files, file_exam, kind_of
from raylm.engine.task_evaluation import result_of, shortened
from raylm.objectives.sequence_classification import SequenceClassification as Objective
from raylm.recipe import Recipe
from raylm.tasks.sequence_classification import SequenceClassification
from tests.engine.answers.every_task import NUM_ROWS, runs_in, write_rows


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of a kind of answer."""
    return runs_in(tmp_path_factory.mktemp("trained"))


def parts_of(run):
    recipe = Recipe.from_yaml(run.recipe_yaml())
    assert recipe.task is not None
    return run, recipe, recipe.task


def exam_of(records, **changes):
    task = SequenceClassification()
    places = [f"x:{number}" for number in range(1, len(records) + 1)]
    return Exam(task, Objective(), records, places, {}, {}, **changes)


def labelled(labels):
    return [{"text": f"text {number}", "label": label} for number, label in enumerate(labels)]


def test_right_answers_are_worth_all_and_the_strongest_baseline_is_beaten(trained):
    exam = own_exam(*parts_of(trained("label")), "train", None)
    answers = [record["label"] for record in exam.records]
    result = result_of(exam, answers, range(len(answers))).to_json()
    assert result["metrics"]["accuracy"] == result["metrics"]["macro_f1"] == 1.0
    assert result["intervals"]["accuracy"] == [1.0, 1.0]
    assert [*result["baselines"]] == ["majority class", "tf-idf with logistic regression"]
    majority = result["baselines"]["majority class"]
    low, high = majority["intervals"]["accuracy"]
    assert low < majority["metrics"]["accuracy"] < high < 1.0
    assert result["difference"]["baseline"] == "tf-idf with logistic regression"
    assert result["notes"] == ["these are rows that the model learned from"] + (
        [] if result["difference"]["low"] > 0 else [each for each in result["notes"] if "no better" in each]
    )
    json.dumps(result)


def test_a_model_that_is_worse_than_a_baseline_is_said_to_be(trained):
    exam = own_exam(*parts_of(trained("label")), "train", None)
    wrong = ["none"] * len(exam.records)
    assert "the model is worse than tf-idf with logistic regression: its accuracy is lower" in [
        *result_of(exam, wrong, [1] * len(wrong)).notes
    ]


def test_the_signs_of_a_loss_are_turned(trained):
    exam = own_exam(*parts_of(trained("likelihood")), "train", None)
    for nats, said in [(-0.001, False), (-1e6, True)]:
        answers = [{"log_probability": nats, "num_tokens": 9}] * len(exam.records)
        result = result_of(exam, answers, [9] * len(answers))
        assert (result.difference["value"] > 0) == said
        assert (
            any("worse than character bigrams: its bits_per_byte is higher" in each for each in result.notes)
            == said
        )


def test_an_equal_model_is_no_better(trained):
    exam = own_exam(*parts_of(trained("label")), "validation", None)
    same = [*exam.task.baselines(exam.train, exam.records).values()][-1]
    result = result_of(exam, same, [1] * len(same))
    assert result.difference["value"] == 0
    assert any(each.startswith("the model is no better than tf-idf") for each in result.notes)


def test_the_worst_answers_are_shown_and_no_more_than_ten():
    exam = exam_of(labelled(["a"] * 30 + ["b"] * 5))
    result = result_of(exam, ["a"] * 35, [1] * 35)
    assert [each["place"] for each in result.examples] == [
        *(f"x:{number}" for number in range(31, 36)),
        *(f"x:{number}" for number in range(1, 6)),
    ]
    qualities = [each["quality"] for each in result.examples]
    assert qualities == sorted(qualities)
    assert result.examples[0]["record"]["label"] == "b"
    assert result.examples[0]["answer"] == "a"


def test_parts_are_classes_by_how_many_rows_they_have_and_lengths():
    exam = exam_of(labelled(["rare", *["usual"] * 8, *["some"] * 3]))
    result = result_of(exam, ["usual"] * 12, [*range(1, 13)])
    classes = result.breakdowns["class"]
    assert [*classes] == ["usual", "some", "rare"]
    assert classes["usual"]["num_rows"] == 8
    assert classes["usual"]["accuracy"] == 1.0
    assert classes["usual"]["f1"] == pytest.approx(2 * 8 / (12 + 8))
    assert classes["rare"]["low"] == classes["rare"]["f1"] == 0.0
    assert [*result.breakdowns["input length"]] == ["1-3 tokens", "4-6 tokens", "7-9 tokens", "10-12 tokens"]
    assert not any("/" in name for name in result.metrics)


def test_without_training_rows_there_are_no_baselines():
    result = result_of(exam_of(labelled("abab")), [*"abab"], [1] * 4).to_json()
    assert "baselines" not in result
    assert "difference" not in result


def test_records_that_were_learned_are_told_of(trained, tmp_path):
    run, recipe, task = parts_of(trained("label"))
    learned = own_exam(run, recipe, task, "train", 3).records
    changed = {"text": learned[0]["text"], "label": learned[1]["label"]}  # another answer to the same
    rows = [changed, *learned[1:], {"text": "otto waits", "label": learned[0]["label"]}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    exam = file_exam(run, recipe, task, Files((str(tmp_path / "rows.jsonl"),), {}, None))
    result = result_of(exam, [each["label"] for each in rows], [1] * 4)
    assert "3 of 4 records have an input that the model learned from" in result.notes


def test_another_answer_to_a_prompt_that_was_learned_is_told_of(trained, tmp_path):
    run, recipe, task = parts_of(trained("text by t5"))
    learned = own_exam(run, recipe, task, "train", 2).records
    rows = [{**each, "target": "something else"} for each in learned] + [{"source": "new", "target": "new"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    exam = file_exam(run, recipe, task, Files((str(tmp_path / "rows.jsonl"),), {}, None))
    notes = result_of(exam, [""] * 3, [1] * 3).notes
    assert "2 of 3 records have an input that the model learned from" in notes


def test_long_fields_are_shortened_in_examples():
    found = shortened({"text": "x" * 1000, "words": ["word"] * 1000, "number": 5})
    assert len(found["text"]) == 301
    assert found["words"][-1] == "…"
    assert len(json.dumps(found["words"])) < 500
    assert found["number"] == 5
    assert shortened("short") == "short"


def test_a_limit_draws_the_same_rows_of_the_split_each_time(trained):
    run = trained("label")
    first, again = (own_exam(*parts_of(run), "train", 7) for _ in range(2))
    assert first.places == again.places
    assert len(first.records) == 7
    assert first.places != [f"train:{number}" for number in range(1, 8)]


def test_the_test_split_is_asked_unless_another_is_named(trained):
    run, recipe, task = parts_of(trained("label"))
    assert own_exam(run, recipe, task, None, None).settings["split"] == "test"
    assert own_exam(run, recipe, task, "validation", None).places[0] == "validation:1"
    sizes = [
        len(own_exam(run, recipe, task, split, None).records) for split in ("train", "validation", "test")
    ]
    assert sum(sizes) <= NUM_ROWS  # rows that are alike may have been left out
    assert min(sizes) > 0


def test_a_label_that_the_model_does_not_have_is_refused_with_its_place():
    exam = exam_of(labelled(["a", "c", "b"]))
    with pytest.raises(BadInput, match=r"\(x:2\): label 'c': the model knows a, b"):
        exam.check_labels(("a", "b"))
    exam.check_labels(())


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.conll", "", "conll"),
        ("a.iob2", "", "conll"),
        ("a.csv", "a,b", "csv"),
        ("a.json", '{"version": "v2.0", "data": [', "squad"),
        ("a.json", ' {"data": [', "squad"),
        ("a.json", '[{"data": 5}]', "jsonl"),
        ("a.json", '{"text": 5}', "jsonl"),
        ("a.txt", "a", "text"),
    ],
)
def test_a_file_is_read_by_its_name_and_json_by_how_it_begins(tmp_path, name, text, kind):
    (tmp_path / name).write_text(text)
    assert kind_of(str(tmp_path / name)) == kind


def test_rows_of_files_are_read_and_a_bad_one_is_named(trained, tmp_path):
    run, recipe, task = parts_of(trained("label"))
    path = write_rows(tmp_path / "rows.jsonl", 5, seed=1)
    exam = file_exam(run, recipe, task, Files((str(path),), {}, None))
    assert (len(exam.records), exam.places[4]) == (5, f"{path}:5")
    with path.open("a") as file:
        file.write('{"text": "no label"}\n')
    with pytest.raises(BadInput, match=rf"\({path}:6\): .*label"):
        file_exam(run, recipe, task, Files((str(path),), {}, None))
    found = file_exam(run, recipe, task, Files((str(path),), {"on_bad_row": "skip"}, None))
    assert len(found.records) == 5
    with pytest.raises(BadInput, match=r"source\.on_bad_rows: unknown field.*did you mean"):
        file_exam(run, recipe, task, Files((str(path),), {"on_bad_rows": "skip"}, None))


def test_no_number_is_missing_where_a_metric_cannot_be_computed():
    result = result_of(exam_of(labelled("aaa")), ["a"] * 3, [1, 2, 3])
    assert all(math.isfinite(value) for value in result.metrics.values())
    assert [*result.breakdowns] == ["input length"]  # one class is no breakdown
