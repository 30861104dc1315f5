"""Texts on their way to a trainer: whole while they hold few words, then without most of the rare ones."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from raylm.data.rare_words import without_rare_words
from raylm.data.tokenizers.byte_bpe import ByteBpe

SHAKESPEARE = Path(__file__).parents[2] / "examples/data/tinyshakespeare/input.txt.gz"


def made_up(prefix, count):
    return [f"{prefix}{number}" for number in range(count)]


def test_texts_with_few_words_pass_unchanged():
    texts = ["one  two\n\nthree ", "", "two one\n", "größer ☃\x00"]
    assert list(without_rare_words(iter(texts))) == texts


def test_distinct_words_stay_near_the_limit_however_many_come():
    texts = [" ".join(made_up(f"w{part}x", 500)) for part in range(200)]
    limit = 20_000
    kept = {word for text in without_rare_words(iter(texts), limit) for word in text.split()}
    given = sum(len(word) for text in texts for word in text.split())
    assert sum(map(len, kept)) < 3 * limit < given / 10


@pytest.mark.parametrize("per_text", [1, 10])
def test_a_word_that_comes_late_and_often_counts_in_full(per_text):
    texts = [" ".join(made_up("w", 5000))] + [
        " ".join([f"r{number}", *["late"] * per_text, f"s{number}"]) for number in range(300)
    ]
    counts = Counter(word for text in without_rare_words(iter(texts), 1000) for word in text.split())
    assert counts["late"] == 300 * per_text
    assert sum(count for word, count in counts.items() if word[0] in "rs") < 300


def test_a_language_that_comes_late_keeps_its_share_of_rare_words():
    first = [" ".join(made_up(f"a{part}x", 500)) for part in range(40)]
    late = [
        "".join(f"夏{chr(0x4E00 + (40 * part + place) % 20_000)}" for place in range(40))
        for part in range(2000)
    ]
    kept = "".join(list(without_rare_words(iter([*first, *late]), 5000))[len(first) :])
    assert 0 < kept.count("夏") < 40 * len(late)


def test_the_blank_before_a_word_that_is_left_out_goes_with_it():
    texts = [
        " ".join(made_up("w", 5000)),
        "",
        "\n".join([" ".join(made_up("r", 200)), "", " ".join(made_up("s", 200))]),
    ]
    *_, last = without_rare_words(iter(texts), 1000)
    assert 0 < len(last.split()) < 350
    assert "  " not in last
    assert last.count("\n") == 2


def test_a_tokenizer_learns_as_good_a_vocabulary_without_the_rare_words():
    text = gzip.decompress(SHAKESPEARE.read_bytes()).decode()[:600_000]
    texts = [text[start : start + 20_000] for start in range(0, len(text), 20_000)]
    fewer = list(without_rare_words(iter(texts), 40_000))
    assert sum(map(len, fewer)) < 0.9 * len(text)
    kind = ByteBpe(vocab_size=1000)
    best, found = (len(kind.train(iter(each)).encode(text)) for each in (texts, fewer))
    assert found < 1.01 * best
