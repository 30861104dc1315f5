import gzip
from pathlib import Path

import pytest

from raylm.data.corpus import Part
from raylm.data.encode import CHUNK_CHARACTERS, chunks
from raylm.data.section import DataSection
from raylm.data.split import pieces

SHAKESPEARE = Path(__file__).parents[2] / "examples/data/tinyshakespeare/input.txt.gz"


def parts(*texts):
    return [Part(0, text, "x:1", len(text.encode())) for text in texts]


def split(texts, **settings):
    data = DataSection(path="unused", **settings)
    found = {"train": [], "validation": []}
    for piece in pieces(parts(*texts), data, sum(map(len, texts))):
        found[piece.split].append((piece.text, piece.is_end))
    return found


def test_shakespeare_is_cut_where_nanogpt_cuts_it():
    text = gzip.decompress(SHAKESPEARE.read_bytes()).decode()
    found = split([text], validation_share=0.1)
    ((train, _),), ((validation, _),) = found.values()
    assert (len(train), len(validation)) == (1_003_854, 111_540)
    assert train + validation == text


def test_the_last_share_of_the_characters_is_validation():
    assert split(["abcd", "efgh", "ij"], validation_share=0.4) == {
        "train": [("abcd", True), ("ef", False)],
        "validation": [("gh", True), ("ij", True)],
    }


def test_a_cut_at_a_documents_end_cuts_no_document():
    assert split(["abcd", "efgh"], validation_share=0.5) == {
        "train": [("abcd", True)],
        "validation": [("efgh", True)],
    }


def test_a_cut_never_falls_inside_a_character():
    assert split(["🙂" * 10], validation_share=0.25)["validation"] == [("🙂🙂🙂", True)]


def test_no_share_gives_everything_to_training():
    assert split(["ab", "cd"], validation_share=0.0) == {
        "train": [("ab", True), ("cd", True)],
        "validation": [],
    }


def test_drawn_documents_are_whole_and_about_the_share():
    texts = [f"document {number}" for number in range(2000)]
    found = split(texts, split_by="document", validation_share=0.2)
    assert 320 < len(found["validation"]) < 480
    assert sorted(text for part in found.values() for text, _ in part) == sorted(texts)


def test_a_new_document_moves_no_other_and_copies_stay_together():
    settings = {"split_by": "document", "validation_share": 0.5}
    texts = [f"document {number}" for number in range(100)]
    before, after = split(texts, **settings), split(["new", *texts, *texts], **settings)
    for name, other in (("train", "validation"), ("validation", "train")):
        assert set(before[name]) <= set(after[name])
        assert not set(before[name]) & set(after[other])
    assert split(texts, **settings, split_seed=1) != before


@pytest.mark.parametrize("unit", ["word ", "你好", "a\n\n", " ", "x" * 3000 + " "])
def test_chunks_are_short_and_together_the_text(unit):
    text = unit * (3 * CHUNK_CHARACTERS // len(unit) + 5)
    found = list(chunks(text))
    assert "".join(found) == text
    assert len(found) >= 3
    assert max(map(len, found)) <= CHUNK_CHARACTERS


def test_a_short_text_is_one_chunk():
    assert list(chunks("abc")) == ["abc"]
