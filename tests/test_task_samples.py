"""The samples of task data that ship: whole, as their READMEs say, and made the same again."""

import ast
import csv
import gzip
import hashlib
import io
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from bench.task_samples import FROM_SHIPPED, SAMPLES, SHIPPED, Place, make
from raylm.data.sources.conll import Conll
from raylm.data.sources.parallel import Parallel
from raylm.data.sources.squad import Squad

SETS = Path(os.environ.get("RAYLM_BENCH_DATA", SHIPPED.parents[2] / "shared" / "data"))


def text_of(name):
    return gzip.decompress((SHIPPED / name).read_bytes()).decode()


def rows_of(name):
    return [json.loads(line) for line in text_of(name).removesuffix("\n").split("\n")]


def data_files(folder):
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(("LICENSE", "README"))]


def documents(source):
    return [row for item in source.inputs() for row in source.read(item)]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_has_a_licence_and_a_readme_that_names_its_files_as_they_are(name):
    folder = SHIPPED / name
    assert [path for path in folder.iterdir() if path.name.startswith("LICENSE")]
    readme = (folder / "README.md").read_text()
    assert "https://" in readme
    for path in data_files(folder):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
        assert path.name in readme


def test_the_samples_are_small_together():
    sizes = [path.stat().st_size for name in SAMPLES for path in data_files(SHIPPED / name)]
    assert sum(sizes) < 3_000_000


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_made_the_same_again(tmp_path, name):
    if name not in FROM_SHIPPED and not SETS.is_dir():
        pytest.skip("the sets that it is taken from are not here")
    for folder in ("one", "two"):
        make(name, Place(SETS, tmp_path / folder))
    made = {path.name: path.read_bytes() for path in (tmp_path / "one" / name).iterdir()}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "two" / name).iterdir()}
    for path in data_files(SHIPPED / name):  # how well it is packed depends on the machine's zlib
        assert gzip.decompress(made[path.name]) == gzip.decompress(path.read_bytes())


def test_banking77_has_77_intents():
    rows = list(csv.DictReader(io.StringIO(text_of("banking77/train.csv.gz"))))
    assert len(rows) == 10_003
    assert len({row["category"] for row in rows}) == 77
    assert all(row["text"].strip() for row in rows)


def test_the_sentences_of_uner_are_read_as_they_are():
    source = Conll(path=str(SHIPPED / "uner_ewt/en_ewt-ud-dev.iob2.gz"), template="{tokens.0} {tags.0}")
    assert len(documents(source)) == 2001
    tags = {
        line.split("\t")[2] for line in text_of("uner_ewt/en_ewt-ud-dev.iob2.gz").splitlines() if "\t" in line
    }
    assert tags == {"O"} | {f"{place}-{kind}" for place in "BI" for kind in ("PER", "ORG", "LOC")}


@pytest.mark.parametrize("language", ["deu", "fra", "spa"])
def test_tatoeba_is_aligned(language):
    path = str(SHIPPED / f"tatoeba/tatoeba.{language}-eng")
    source = Parallel(
        path=f"{path}.{language}.gz", target_path=f"{path}.eng.gz", template="{source}|{target}"
    )
    assert len(documents(source)) == 1000


@pytest.mark.parametrize(("name", "count"), [("train", 1992), ("dev", 619)])
def test_scitldr_has_abstracts_and_summaries(name, count):
    rows = rows_of(f"scitldr/{name}.jsonl.gz")
    assert len(rows) == count
    assert all(
        set(row) == {"paper_id", "source", "target"} and row["source"] and row["target"] for row in rows
    )


def test_pubmedqa_has_three_labels():
    rows = rows_of("pubmedqa/pubmedqa.jsonl.gz")
    assert len(rows) == len({row["id"] for row in rows}) == 500
    assert {row["label"] for row in rows} == {"yes", "no", "maybe"}
    assert all(row[field].strip() for row in rows for field in ("question", "context", "long_answer"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the solutions' own escapes
def test_each_solution_of_mbpp_is_the_function_that_its_test_calls():
    rows = rows_of("mbpp/mbpp.jsonl.gz")
    assert len(rows) == 419
    for row in rows:
        ast.parse(row["test"])
        parsed = ast.parse(row["prompt"] + row["canonical_solution"])
        assert row["entry_point"] in {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}


def test_conversations_take_turns_and_end_with_an_answer():
    rows = rows_of("oasst/conversations.jsonl.gz")
    assert len(rows) == 102
    for row in rows:
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert all(message["content"].strip() for message in row["messages"])
    said = [tuple(message["content"] for message in row["messages"]) for row in rows]
    assert not [one for one in said for other in said if one != other and other[: len(one)] == one]
    assert len(set(said)) == len(said)


def test_explained_functions_are_python_without_docstrings():
    rows = rows_of("code_explanations/code_explanations.jsonl.gz")
    assert len(rows) == len({row["code"] for row in rows}) == 400
    for row in rows:
        (function,) = ast.parse(row["code"]).body
        assert isinstance(function, ast.FunctionDef)
        assert ast.get_docstring(function) is None
        assert 4 <= len(row["description"].split()) <= 40


def questions_of(name):
    data = json.loads(text_of(f"books_qa/{name}.json.gz"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    return [(paragraph["context"], asked) for paragraph in paragraphs for asked in paragraph["qas"]]


@pytest.mark.parametrize(("name", "count"), [("train", 1748), ("test", 430)])
def test_answers_about_the_books_stand_in_their_passages_word_for_word(name, count):
    asked = questions_of(name)
    assert len(asked) == len({question["id"] for _, question in asked}) == count
    for context, question in asked:
        assert 60 <= len(context.split()) <= 150
        (answer,) = question["answers"]
        assert context[answer["answer_start"] :].startswith(answer["text"])
        assert re.match(r"(Who|Whose|What|Where|When|How many) .*\?$", question["question"])
    source = Squad(path=str(SHIPPED / f"books_qa/{name}.json.gz"), text_field="question")
    assert len(documents(source)) == count


def test_questions_about_the_books_are_trained_and_tested_on_different_chapters():
    train, test = (json.loads(text_of(f"books_qa/{name}.json.gz"))["data"] for name in ("train", "test"))
    assert not {article["title"] for article in train} & {article["title"] for article in test}
    assert not {context for context, _ in questions_of("train")} & {
        context for context, _ in questions_of("test")
    }
    kinds = Counter(question["question"].split()[0] for _, question in questions_of("train"))
    assert {"Who", "Whose", "What", "Where", "When", "How"} == set(kinds)


def test_sentences_with_mistakes_differ_from_what_is_right_in_most_rows():
    rows = rows_of("grammar/grammar.jsonl.gz")
    assert len(rows) == len({row["target"] for row in rows}) == 6000
    assert all(5 <= len(row["target"].split()) <= 25 for row in rows)
    right = sum(row["source"] == row["target"] for row in rows)
    assert 0.10 < right / len(rows) < 0.20
    for row in rows:
        assert abs(len(row["source"].split()) - len(row["target"].split())) <= 3
        assert row["source"][-1] == row["target"][-1]
