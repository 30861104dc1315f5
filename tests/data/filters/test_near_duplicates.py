import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.filters.near_duplicates import NearDuplicates
from raylm.data.shingles import PIECE, jaccard, shingle_batches, shingle_set

PLAYS = Path(__file__).parents[3] / "examples" / "data" / "tinyshakespeare" / "input.txt.gz"
WORDS = gzip.decompress(PLAYS.read_bytes()).decode().split()
PARAGRAPHS = [" ".join(WORDS[at : at + 60 + at % 90]) for at in range(0, 150 * 1200, 150)]
ODD = [
    "",
    " ",
    "!",
    "\x00",
    "word",
    "你好世界。这是一个句子。",
    "שלום עולם",
    "🙂🙂🙂",
    "\ud800",
    "İstanbul ΣΑΣ",
    "a\u0301b",
]


def dropped(near, texts, block=500):
    sketches = [near.sketch(texts[at : at + block]) for at in range(0, len(texts), block)]
    return near.decide(sketches, texts.__getitem__)


def edited(text, share, draw):
    """The text with a share of its words replaced, deleted, or followed by another."""
    words = [[word] for word in text.split()]
    for place in draw.sample(range(len(words)), max(1, round(share * len(words)))):
        another = draw.choice(WORDS)
        words[place] = draw.choice(([another], [], [*words[place], another]))
    return " ".join(word for group in words for word in group)


@pytest.mark.parametrize(("share", "least"), [(0.01, 0.95), (0.05, 0.95), (0.10, 0.80)])
def test_a_thousand_edited_paragraphs_are_found_and_nothing_else(share, least):
    draw = random.Random(1)
    edits = [edited(text, share, draw) for text in PARAGRAPHS[:1000]]
    twins = dropped(NearDuplicates(), [*PARAGRAPHS, *edits])
    right = sum(number - len(PARAGRAPHS) == twin.of for number, twin in twins.items())
    assert right >= least * len(edits)
    assert right >= 0.98 * len(twins)


def test_the_detail_names_the_exact_similarity():
    words = [f"word{number}" for number in range(60)]  # 58 shingles, 50 of them in both
    twin = dropped(NearDuplicates(), [" ".join(words), " ".join(words[:-8])])[1]
    assert twin == (0, "near_duplicate", "Jaccard 0.86")


def test_a_chain_of_edits_is_one_group_under_its_first_document():
    draw = random.Random(2)
    chain = [PARAGRAPHS[3]]
    for _ in range(6):
        chain.append(edited(chain[-1], 0.06, draw))
    twins = dropped(NearDuplicates(threshold=0.6), chain)
    assert {number: twin.of for number, twin in twins.items()} == dict.fromkeys(range(1, 7), 0)
    assert "with another copy" in twins[6].detail


def test_many_copies_of_one_document_are_all_dropped_for_the_first():
    texts = [PARAGRAPHS[0], PARAGRAPHS[1]] * 300
    assert {number: twin.of for number, twin in dropped(NearDuplicates(), texts).items()} == {
        number: number % 2 for number in range(2, 600)
    }


def test_titles_that_differ_in_a_word_stay():
    titles = ["The Fox and the Crow", "The Fox and the Grapes", "The Fox and the Crow"]
    assert dropped(NearDuplicates(), titles) == {}
    assert set(dropped(NearDuplicates(min_shingles=1), titles)) == {1, 2}


def test_case_and_punctuation_make_no_difference_to_words():
    loud = "“" + PARAGRAPHS[0].upper().replace(",", " --") + "!”"
    assert dropped(NearDuplicates(threshold=1), [PARAGRAPHS[0], loud])[1].detail == "Jaccard 1.00"


def test_text_without_spaces_is_compared_too():
    sentence = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜"
    twins = dropped(NearDuplicates(), [sentence, sentence.replace("张", "長"), sentence[::-1]])
    assert list(twins) == [1]


def test_characters_find_changes_inside_words():
    text = PARAGRAPHS[0]
    typos = " ".join(word[:-1] + "x" if number % 3 == 0 else word for number, word in enumerate(text.split()))
    assert list(dropped(NearDuplicates(shingle="characters", shingle_size=3), [text, typos])) == [1]
    assert dropped(NearDuplicates(), [text, typos]) == {}


@pytest.mark.parametrize("block", [1, 7, 64])
def test_a_sketch_does_not_depend_on_its_neighbours(block):
    texts = [*ODD, *PARAGRAPHS[:100]]
    near = NearDuplicates(min_shingles=1)
    together = near.sketch(texts)
    apart = [near.sketch(texts[at : at + block]) for at in range(0, len(texts), block)]
    np.testing.assert_array_equal(np.concatenate(apart), together)


@pytest.mark.parametrize("block", [1, 64, 1000])
def test_blocks_make_no_difference_to_what_is_dropped(block):
    draw = random.Random(3)
    texts = [*PARAGRAPHS[:60], *(edited(text, 0.08, draw) for text in PARAGRAPHS[:40])]
    twins = dropped(NearDuplicates(), texts, block)
    assert twins == dropped(NearDuplicates(), texts)
    assert len(twins) >= 35


def test_a_long_text_has_the_same_shingles_whole_and_in_pieces():
    text = " ".join(WORDS[:130_000])
    assert len(text) > 2 * PIECE
    pieces = [" ".join(WORDS[at : at + 5000]) for at in range(0, 130_000, 5000)]
    apart = np.concatenate([shingle_set(piece, "words", 1) for piece in pieces])
    np.testing.assert_array_equal(shingle_set(text, "words", 1), np.unique(apart))


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_no_text_is_without_a_shingle(unit):
    for batch in shingle_batches([*ODD, "x" * 400_000], unit, 3):
        assert (np.diff(batch.bounds) > 0).all()


def test_jaccard_is_the_share_of_shingles_in_common():
    one, other = (np.array(values, np.uint64) for values in ([1, 3, 5, 7], [3, 4, 5]))
    assert jaccard(one, other) == 2 / 5


@pytest.mark.parametrize("kind", [ExactDuplicates, NearDuplicates])
def test_odd_texts_are_no_duplicates_of_each_other(kind):
    texts = [text for text in ODD if text.strip()]
    assert kind().decide([kind().sketch(texts)], texts.__getitem__) == {}


def test_an_empty_corpus_has_no_near_duplicates():
    assert NearDuplicates().sketch([]).shape == (0, 32)
    assert dropped(NearDuplicates(), []) == {}
    assert NearDuplicates().decide([NearDuplicates().sketch([])], "".__getitem__) == {}
