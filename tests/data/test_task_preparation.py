"""Preparing the rows of a task: records, targets, labels, a test split, filters that mend no row."""

import json
from pathlib import Path

import numpy as np
import pytest

from raylm.config.errors import BadInput
from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.filters.personal_data import PersonalData
from raylm.data.ledger import removed_documents
from raylm.data.prepare import find_prepared, prepare, training_texts
from raylm.data.row_task import Lesson, reading_settings
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.sources.jsonl import Jsonl
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.wordpiece import WordPiece
from raylm.tasks.chat import Chat
from raylm.tasks.grammar_correction import GrammarCorrection
from raylm.tasks.question_answering import QuestionAnswering
from raylm.tasks.sequence_classification import SequenceClassification

NUM_ROWS = 300
WORDS = ["green", "red", "round", "large", "small", "old", "new", "quick"]
ROWS = [
    {"text": f"the {WORDS[n % 8]} thing number {n}", "label": ["odd", "even"][n % 2], "score": n / 7}
    for n in range(NUM_ROWS)
]
SPLIT = {"validation_share": 0.2, "test_share": 0.1, "split_by": "document"}
CLASSIFY = Lesson(SequenceClassification(), "sequence_classification")
TOKENIZER = WordPiece(vocab_size=300, special_tokens="bert")


def source(folder: Path, rows=ROWS, name="rows") -> Jsonl:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Jsonl(path=str(path), licence="CC0")


def prepared(folder: Path, lesson=CLASSIFY, tokenizer=TOKENIZER, rows=ROWS, **settings) -> Dataset:
    data = DataSection(sources=(source(folder, rows),), **{**SPLIT, **settings})
    return Dataset.open(prepare(data, tokenizer, str(folder / "storage"), lesson=lesson).uri)


def records_of(dataset: Dataset) -> dict[str, list[dict]]:
    return {
        name: [split.record(number) for number in range(split.num_records)]
        for name, split in dataset.splits.items()
    }


def test_every_row_is_a_record_of_one_split(tmp_path):
    dataset = prepared(tmp_path)
    found = records_of(dataset)
    assert {name: len(each) > 15 for name, each in found.items()} == dict.fromkeys(found, True)
    assert set(found) == {"train", "validation", "test"}
    texts = sorted(record["text"] for each in found.values() for record in each)
    assert texts == sorted(row["text"] for row in ROWS)
    assert dataset.labels == ("even", "odd")


def test_tokens_and_target_stand_side_by_side(tmp_path):
    dataset = prepared(tmp_path)
    split = dataset.splits["train"]
    plan = split.record_rows(64)
    assert plan.num_rows == split.num_records
    vocabulary = dataset.vocabulary
    for number in (0, 7, plan.num_rows - 1):
        tokens, target = (split.read(*span[:3]) for span in plan.spans(number))
        assert tokens[0] == vocabulary.cls_token_id
        assert tokens[-1] == vocabulary.sep_token_id
        assert dataset.labels[int(target[0])] == split.record(number)["label"]


def test_numbers_stay_numbers(tmp_path):
    lesson = Lesson(SequenceClassification(label_field="score", is_regression=True), "regression", "float32")
    dataset = prepared(tmp_path, lesson)
    split = dataset.splits["validation"]
    targets = split.read("target", 0, split.num_records)
    assert targets.dtype == np.float32
    assert targets.tolist() == pytest.approx([split.record(n)["label"] for n in range(split.num_records)])
    assert dataset.labels == ()


def test_answers_are_marked_token_by_token(tmp_path):
    rows = [{"source": f"question {n}", "target": f"answer {n}"} for n in range(NUM_ROWS)]
    lesson = Lesson(GrammarCorrection(), "supervised", "uint8")
    dataset = prepared(tmp_path, lesson, ByteBpe(vocab_size=300), rows)
    split = dataset.splits["train"]
    assert split.target_offsets.tolist() == split.document_offsets.tolist()
    start, stop = split.document_offsets[3:5].tolist()
    tokens, marks = split.read("tokens", start, stop), split.read("target", start, stop)
    learned = [int(token) for token, mark in zip(tokens, marks, strict=True) if mark]
    assert learned[-1] == dataset.eos_token_id
    assert len(learned) < len(tokens)


def test_any_number_of_processes_gives_the_same_bytes(tmp_path):
    one = prepared(tmp_path)
    (tmp_path / "two").mkdir()
    assert prepared(tmp_path / "two", num_workers=2).digest == one.digest


def test_the_task_is_part_of_what_decides_a_dataset(tmp_path):
    prepared(tmp_path)
    data = DataSection(sources=(source(tmp_path),), **SPLIT)
    storage = str(tmp_path / "storage")
    assert find_prepared(data, TOKENIZER, storage, CLASSIFY) is not None
    other = Lesson(SequenceClassification(labels=("odd", "even")), "sequence_classification")
    assert find_prepared(data, TOKENIZER, storage, other) is None
    assert find_prepared(data, TOKENIZER, storage) is None


def test_a_named_folder_of_texts_is_no_folder_of_rows(tmp_path):
    (tmp_path / "x.txt").write_text("some words of text " * 400)
    place = str(tmp_path / "dataset")
    texts = DataSection(sources=(Text(path=str(tmp_path / "x.txt")),), path=place, validation_share=0.1)
    prepare(texts, TOKENIZER, str(tmp_path / "storage"))
    with pytest.raises(BadInput, match="holds texts, the recipe has a task; name another folder"):
        prepare(DataSection(path=place), TOKENIZER, str(tmp_path / "storage"), lesson=CLASSIFY)


def test_a_filter_drops_rows_and_mends_none(tmp_path):
    mail = {"text": "write to jane.doe@example.org about it", "label": "odd"}
    dataset = prepared(tmp_path, rows=[*ROWS, ROWS[0], mail], filters=(ExactDuplicates(), PersonalData()))
    texts = [record["text"] for each in records_of(dataset).values() for record in each]
    assert sorted(texts) == sorted(row["text"] for row in ROWS)
    report = json.loads((dataset.path / "report.json").read_text())
    assert "jane.doe" not in json.dumps(report)


def test_a_test_share_of_texts_is_their_end(tmp_path):
    text = "".join(f"line {n}\n" for n in range(4000))
    (tmp_path / "x.txt").write_text(text)
    data = DataSection(sources=(Text(path=str(tmp_path / "x.txt")),), validation_share=0.1, test_share=0.05)
    dataset = Dataset.open(prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "storage")).uri)
    sizes = {name: split.num_bytes for name, split in dataset.splits.items()}
    assert sum(sizes.values()) == len(text)
    assert sizes["validation"] == pytest.approx(0.1 * len(text), abs=2)
    assert sizes["test"] == pytest.approx(0.05 * len(text), abs=2)


def test_shares_leave_something_to_train_on():
    with pytest.raises(ValueError, match="leave nothing to train on"):
        DataSection(sources=(Text(path="x.txt"),), validation_share=0.5, test_share=0.5)


def conversations(num_long: int) -> list[dict]:
    """Return conversations of which some begin with more words than a row of 64 tokens holds."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"word {n} " * (100 if n < num_long else 1)},
                {"role": "assistant", "content": f"yes {n}"},
            ]
        }
        for n in range(NUM_ROWS)
    ]


def test_rows_that_end_before_what_is_to_be_learned_are_left_out_and_counted(tmp_path):
    lesson = Lesson(Chat(), "supervised", "uint8", row_length=64)
    dataset = prepared(tmp_path, lesson, ByteBpe(vocab_size=300), conversations(num_long=40))
    assert sum(split.num_documents for split in dataset.index.splits.values()) == NUM_ROWS - 40
    assert sum(split.num_records for split in dataset.splits.values()) == NUM_ROWS
    for split in dataset.splits.values():
        offsets = split.document_offsets.tolist()
        marks = split.read("target", 0, offsets[-1])
        assert all(marks[start + 1 : start + 65].any() for start in offsets[:-1])
    (ledger,) = (tmp_path / "storage" / "datasets").glob("*/ledger.json")
    (entry,) = json.loads(ledger.read_text())["sources"]
    assert entry["removed"] == {"task": {"cut_off_before_answer": 40}}
    assert (entry["documents"], removed_documents(entry)) == (NUM_ROWS - 40, 40)
    notes = [note for note in dataset.index.notes if "cut off before what is to be learned" in note]
    assert len(notes) == 3
    assert notes[0].startswith("train split: ")


def test_a_split_of_which_nothing_would_be_learned_is_refused(tmp_path):
    lesson = Lesson(Chat(), "supervised", "uint8", row_length=64)
    with pytest.raises(BadInput, match=r"train\.sequence_length: all .* rows of the train split are cut off"):
        prepared(tmp_path, lesson, ByteBpe(vocab_size=300), conversations(num_long=NUM_ROWS))


def test_prompts_that_lose_their_beginning_are_told_of(tmp_path):
    rows = [{"source": f"word {n} " * (100 if n < 200 else 1), "target": f"{n}"} for n in range(NUM_ROWS)]
    lesson = Lesson(GrammarCorrection(), "supervised", "uint8", row_length=64)
    dataset = prepared(tmp_path, lesson, ByteBpe(vocab_size=300), rows)
    assert np.diff(dataset.splits["train"].document_offsets).max() == 65
    (note,) = [each for each in dataset.index.notes if each.startswith("train split:")]
    assert "prompts are too long for a row with their answer: their end is given" in note


def test_the_length_of_a_row_decides_only_what_is_cut_off_behind_it(tmp_path):
    short, long = (Lesson(Chat(), "supervised", "uint8", row_length=length) for length in (64, 128))
    assert short.settings() != long.settings()
    assert "row_length" not in CLASSIFY.settings()


ANSWER = {"text": ["the"], "answer_start": [0]}
# Of each task: its objective, rows of which several have the same input, and what they share.
SHARED = {
    "question_answering": (
        Lesson(QuestionAnswering(), "question_answering"),
        [{"context": f"the text {n // 5}", "question": f"what {n}", "answers": ANSWER} for n in range(300)],
        "context",
    ),
    "grammar_correction": (
        Lesson(GrammarCorrection(), "supervised", "uint8"),
        [{"source": f"the text {n // 5}", "target": f"answer {n}"} for n in range(300)],
        "source",
    ),
}


@pytest.mark.parametrize("task", SHARED)
def test_what_a_model_is_asked_about_stands_in_one_split_alone(tmp_path, task):
    lesson, rows, name = SHARED[task]
    tokenizer = TOKENIZER if lesson.objective == task else ByteBpe(vocab_size=300)
    found = records_of(prepared(tmp_path, lesson, tokenizer, rows))
    shared = [{record[name] for record in each} for each in found.values()]
    assert sum(map(len, found.values())) == 300
    assert sum(map(len, shared)) == len(set.union(*shared)) == 60
    assert [len(each) > 0 for each in shared] == [True] * 3


def test_a_tokenizer_learns_from_the_rows_of_the_training_split_alone(tmp_path):
    lesson, rows, _ = SHARED["grammar_correction"]
    data = DataSection(sources=(source(tmp_path, rows),), **SPLIT)
    storage = str(tmp_path / "storage")
    texts = set(training_texts(data, storage, lesson=lesson))
    dataset = Dataset.open(prepare(data, ByteBpe(vocab_size=300), storage, lesson=lesson).uri)
    assert texts == {f"{each['source']}\n{each['target']}" for each in records_of(dataset)["train"]}


def test_other_tasks_are_split_by_their_texts_as_ever():
    assert reading_settings(SequenceClassification()) == SequenceClassification().settings()
    assert reading_settings(GrammarCorrection()) != GrammarCorrection().settings()
