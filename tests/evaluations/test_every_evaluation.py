"""What holds for every kind of evaluation, and what each kind makes of its rows."""

import csv
import gzip
import json
import math

import pytest
from pydantic import ValidationError

from raylm.config import BadInput
from raylm.evaluations import Evaluation, Share, sampled
from tests.evaluations.judge import Judge

PAIRS = [
    {"sentence_good": "cats sleep", "sentence_bad": "cats sleeps", "UID": "agreement"},
    {"sentence_good": "dogs bark", "sentence_bad": "dogs barks", "UID": "agreement"},
    {"sentence_good": "it rains", "sentence_bad": "rains it", "UID": "order"},
]
QUESTIONS = [
    {"goal": "drink", "sol1": "cup", "sol2": "a long fork of wood", "label": 0},
    {"goal": "eat", "sol1": "cup", "sol2": "a fork", "label": 1},
]
LABELLED = [{"text": f"{word} film number {n}", "label": word} for n in range(30) for word in ("good", "bad")]
ROWS = {
    "text": [{"text": "cats sleep"}, {"text": "dogs bark"}],
    "minimal_pairs": PAIRS,
    "multiple_choice": QUESTIONS,
    "cloze": [{"text": "the cat sat on the mat"}, {"text": "a dog"}],
    "linear_probe": LABELLED,
}
FIELDS = {"multiple_choice": {"choice_fields": ["sol1", "sol2"], "context": "{goal}:"}}
EVERY = pytest.mark.parametrize("kind", sorted(ROWS))


def write(path, rows):
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def evaluation(kind, path, **fields):
    return Evaluation.model_validate({"kind": kind, "path": path, **FIELDS.get(kind, {}), **fields})


def run(kind, path, judge=None, **fields):
    return evaluation(kind, path, **fields).run(judge or Judge())


def test_every_kind_is_tested_here():
    assert set(Evaluation.kinds) == set(ROWS)


@EVERY
def test_a_result_is_json_and_every_share_has_an_interval_around_it(kind, tmp_path):
    result = json.loads(json.dumps(run(kind, write(tmp_path / "rows.jsonl", ROWS[kind])).to_json()))
    assert result["metrics"]
    assert all(count >= 0 for count in result["counts"].values())
    for name, (low, high) in result["intervals"].items():
        assert 0 <= low <= result["metrics"][name] <= high <= 1


@EVERY
def test_packed_rows_give_the_same_as_plain_ones(kind, tmp_path):
    plain = run(kind, write(tmp_path / "rows.jsonl", ROWS[kind]))
    packed = run(kind, write(tmp_path / "rows.jsonl.gz", ROWS[kind]))
    assert packed.metrics == plain.metrics


@EVERY
def test_a_row_without_its_field_is_refused_with_file_and_line(kind, tmp_path):
    path = write(tmp_path / "rows.jsonl", [*ROWS[kind], {"other": 1}])
    with pytest.raises(BadInput) as error:
        run(kind, path)
    assert [problem.location for problem in error.value.problems] == [f"{path}:{len(ROWS[kind]) + 1}"]


@EVERY
def test_a_line_that_is_no_json_is_refused_with_file_and_line(kind, tmp_path):
    path = tmp_path / "rows.jsonl"
    write(path, ROWS[kind])
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(BadInput, match=f"rows.jsonl:{len(ROWS[kind]) + 1}.*not JSON"):
        run(kind, str(path))


@EVERY
def test_a_missing_file_is_refused(kind, tmp_path):
    with pytest.raises(BadInput, match="does not exist"):
        run(kind, str(tmp_path / "rows.jsonl"))


@EVERY
def test_a_limit_takes_so_many_rows(kind, tmp_path):
    path = write(tmp_path / "rows.jsonl", ROWS[kind] * 10)
    counts = run(kind, path, limit=12).counts
    assert 12 in (
        *counts.values(),
        sum(counts.get(f"num_{part}", 0) for part in ("train", "validation", "test")),
    )


def test_rows_of_a_limit_come_from_everywhere_in_order_and_always_the_same():
    drawn = sampled(range(1000), 100)
    assert drawn == sorted(set(drawn)) == sampled(range(1000), 100)
    assert len(drawn) == 100
    assert sum(number < 500 for number in drawn) == pytest.approx(50, abs=15)
    assert sum(number % 2 for number in drawn) == pytest.approx(50, abs=15)
    assert sampled(range(3), 4) == [0, 1, 2]


# Share


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_intervals_are_wilsons(hits, total, low, high):
    # The last is Newcombe 1998, table I, method 3; the others follow from the same formula.
    assert Share(hits, total).interval == pytest.approx((low, high), abs=5e-5)


# minimal_pairs


def test_the_likelier_sentence_wins_and_a_tie_is_lost(tmp_path):
    judge = Judge({"sleeps": 3.0, "barks": 0.1})
    result = run("minimal_pairs", write(tmp_path / "pairs.jsonl", PAIRS), judge)
    assert result.metrics["accuracy"] == Share(1, 3, 0.5)
    assert result.counts == {"num_pairs": 3, "num_ties": 1}
    assert {name: part["accuracy"] for name, part in result.breakdown.items()} == {
        "agreement": 0.5,
        "order": 0.0,
    }
    assert [each["good"] for each in result.examples] == ["dogs bark", "it rains"]


def test_pairs_without_a_group_are_grouped_by_file(tmp_path):
    for name in ("first", "second"):
        write(tmp_path / f"{name}.jsonl", [{"a": "x y", "b": "z"}])
    result = run("minimal_pairs", str(tmp_path / "*.jsonl"), good_field="a", bad_field="b")
    assert list(result.breakdown) == ["first", "second"]


# multiple_choice


def test_choices_are_compared_by_sum_and_by_byte(tmp_path):
    judge = Judge({"cup": 2.5, "long": 0.2, "of": 0.2, "wood": 0.2, "a": 1.0, "fork": 1.0})
    result = run("multiple_choice", write(tmp_path / "rows.jsonl", QUESTIONS), judge)
    assert result.metrics["accuracy"] == Share(2, 2, 0.5)  # 2.5 to 2.6 nats, 2.5 to 2.0
    assert result.metrics["accuracy_per_byte"] == Share(1, 2, 0.5)  # 2.5 / 3 to 2.6 / 19
    assert judge.asked[0] == ("drink:", " cup")


def test_labels_may_lie_in_a_file_of_their_own(tmp_path):
    (tmp_path / "labels.lst").write_text("0\n1\n")
    rows = [{name: row[name] for name in ("goal", "sol1", "sol2")} for row in QUESTIONS]
    path = write(tmp_path / "rows.jsonl", rows)
    judge = Judge({"cup": 0.1})
    result = run("multiple_choice", path, judge, labels_path=str(tmp_path / "labels.lst"))
    assert result.metrics["accuracy"].hits == 1
    (tmp_path / "labels.lst").write_text("0\n")
    with pytest.raises(BadInput, match="1 labels for 2 rows"):
        run("multiple_choice", path, labels_path=str(tmp_path / "labels.lst"))


@pytest.mark.parametrize("label", [1, "1", "B", "a fork"])
def test_a_label_may_be_a_number_a_name_or_the_choice_itself(label, tmp_path):
    path = write(tmp_path / "rows.jsonl", [{"choices": ["cup", "a fork", "hat"], "label": label}])
    result = Evaluation.model_validate(
        {"kind": "multiple_choice", "path": path, "choices_field": "choices", "label_names": ["A", "B", "C"]}
    ).run(Judge({"cup": 9.0, "hat": 9.0}))
    assert result.metrics["accuracy"] == Share(1, 1, 1 / 3)


def test_a_label_that_is_no_choice_is_refused(tmp_path):
    path = write(tmp_path / "rows.jsonl", [{**QUESTIONS[0], "label": 2}])
    with pytest.raises(BadInput, match=r"rows.jsonl:1.*'2' is none of its 2 choices"):
        run("multiple_choice", path)


def test_choices_must_be_named_one_way():
    with pytest.raises(ValidationError, match="one of them"):
        Evaluation.model_validate({"kind": "multiple_choice", "path": "x"})


# cloze


def test_the_last_word_is_the_target(tmp_path):
    judge = Judge({"mat": 0.2, "dog": 3.0})
    result = run("cloze", write(tmp_path / "rows.jsonl", ROWS["cloze"]), judge)
    assert judge.asked == [("the cat sat on the", " mat"), ("a", " dog")]
    assert result.metrics["accuracy"] == Share(1, 2)
    assert result.metrics["target_perplexity"] == pytest.approx(math.exp(1.6))


def test_a_target_may_have_a_field_of_its_own(tmp_path):
    judge = Judge(scores_in_order=False)
    path = write(tmp_path / "rows.jsonl", [{"q": "Paris is in", "a": "France"}, {"q": "so ", "a": "it"}])
    result = run("cloze", path, judge, context_field="q", target_field="a")
    assert judge.asked == [("Paris is in", " France"), ("so ", "it")]
    assert "pseudo_target_perplexity" in result.metrics
    assert "in sight" in result.notes[0]


def test_a_single_word_is_no_passage(tmp_path):
    with pytest.raises(BadInput, match=r"rows.jsonl:1.*no context"):
        run("cloze", write(tmp_path / "rows.jsonl", [{"text": "word"}]))


# text


def test_bits_a_byte_count_the_bytes_of_the_text(tmp_path):
    (tmp_path / "text.txt").write_text("café ?\n", encoding="utf-8")
    result = run("text", str(tmp_path / "text.txt"))
    assert result.counts == {"num_documents": 1, "num_tokens": 7, "num_bytes": 8, "num_unknown_tokens": 1}
    assert result.metrics["loss"] == pytest.approx(2 / 7)
    assert result.metrics["bits_per_byte"] == pytest.approx(2 / math.log(2) / 8)
    assert "unknown" in result.notes[0]


def test_figures_of_models_that_see_both_sides_are_called_pseudo(tmp_path):
    path = write(tmp_path / "rows.jsonl", ROWS["text"])
    result = run("text", path, Judge(scores_in_order=False))
    assert set(result.metrics) == {"pseudo_loss", "pseudo_perplexity", "pseudo_bits_per_byte"}
    with pytest.raises(BadInput, match="stride is for models that predict left to right"):
        run("text", path, Judge(scores_in_order=False), stride=4)


def test_a_stride_reaches_the_model(tmp_path):
    judge = Judge()
    run("text", write(tmp_path / "rows.jsonl", ROWS["text"]), judge, stride=4)
    assert judge.strides == [4]


def test_documents_are_files_paragraphs_or_lines(tmp_path):
    (tmp_path / "text.txt").write_text("a\nb\n\nc\n")
    counts = {
        by: run("text", str(tmp_path / "text.txt"), by=by).counts["num_documents"]
        for by in ("file", "paragraph", "line")
    }
    assert counts == {"file": 1, "paragraph": 2, "line": 3}


def test_several_files_are_shown_apart(tmp_path):
    (tmp_path / "easy.txt").write_text("a")
    (tmp_path / "hard.txt").write_text("b b b")
    result = run("text", str(tmp_path / "*.txt"))
    assert result.breakdown["easy"]["loss"] == 1.0
    assert result.breakdown["hard"]["loss"] == pytest.approx(3 / 5)
    assert [each["text"] for each in result.examples] == ["a", "b b b"]


# linear_probe


def test_a_linear_probe_finds_what_is_in_the_features(tmp_path):
    result = run("linear_probe", write(tmp_path / "rows.jsonl", LABELLED))
    assert result.metrics["accuracy"].value == 1.0
    assert result.metrics["majority_accuracy"].value < 0.9
    assert (result.counts["num_train"], result.counts["num_test"]) == (48, 6)


def test_a_linear_probe_finds_nothing_where_there_is_nothing(tmp_path):
    rows = [{"text": "x" * (n % 5), "label": str(n * 7919 % 13 % 2)} for n in range(400)]
    value = run("linear_probe", write(tmp_path / "rows.jsonl", rows)).metrics["accuracy"].value
    assert 0.25 < value < 0.75


def test_the_name_of_a_text_file_is_its_label(tmp_path):
    for word in ("good", "bad"):
        lines = "".join(f"{word} café {n}\n" for n in range(20))
        (tmp_path / f"{word}.txt.gz").write_bytes(gzip.compress(lines.encode("latin-1")))
    result = run("linear_probe", str(tmp_path / "*.gz"), encoding="latin-1")
    assert sorted(result.breakdown) == ["bad", "good"]
    with pytest.raises(BadInput, match=r"bad.txt.gz:1.*not UTF-8"):
        run("linear_probe", str(tmp_path / "*.gz"))


def test_tables_give_rows_too(tmp_path):
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["review", "stars"], *([row["text"], row["label"]] for row in LABELLED)])
    result = run("linear_probe", str(tmp_path / "rows.csv"), text_field="review", label_field="stars")
    assert result.metrics["accuracy"].value == 1.0


def test_one_label_is_nothing_to_tell_apart(tmp_path):
    with pytest.raises(BadInput, match=r"1 label"):
        run("linear_probe", write(tmp_path / "rows.jsonl", LABELLED[::2]))
