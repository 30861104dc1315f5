import gzip
from pathlib import Path

import pytest

from raylm.data.blocks import BlockRef
from raylm.data.chunks import CHUNK_CHARACTERS, chunks
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.split import rules
from raylm.data.tally import Size

SHAKESPEARE = Path(__file__).parents[2] / "examples/data/tinyshakespeare/input.txt.gz"


def block(texts, source=0):
    """Return a block of these documents, as the rules see it."""
    size = Size()
    for text in texts:
        size.count(text)
    return BlockRef("read", "key", source, size)


def split_blocks(blocks, sides=("share",), **settings):
    """Return the pieces of each split, of blocks that are a source's number and its documents."""
    sources = tuple(Text(path="unused", name=str(number), split=side) for number, side in enumerate(sides))
    data = DataSection(sources=sources, **settings)
    found = {"train": [], "validation": []}
    drawn = rules([block(texts, source) for source, texts in blocks], data)
    for rule, (_, texts) in zip(drawn, blocks, strict=True):
        for piece in rule.pieces(texts):
            found[piece.split].append((piece.text, piece.is_end))
    return found


def split(texts, **settings):
    return split_blocks([(0, texts)], **settings)


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


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("split_by", ["position", "document"])
def test_how_documents_are_put_in_blocks_makes_no_difference(size, split_by):
    texts = [f"document number {number}" for number in range(50)]
    settings = {"split_by": split_by, "validation_share": 0.33}
    blocks = [(0, texts[start : start + size]) for start in range(0, len(texts), size)]
    assert split_blocks(blocks, **settings) == split(texts, **settings)


def test_an_empty_block_makes_no_difference():
    assert split_blocks([(0, ["abcd"]), (0, []), (0, ["efgh"])], validation_share=0.25) == {
        "train": [("abcd", True), ("ef", False)],
        "validation": [("gh", True)],
    }


@pytest.mark.parametrize("split_by", ["position", "document"])
def test_sources_that_are_named_for_a_side_are_on_it_as_a_whole(split_by):
    sides = ("validation", "share", "train")
    texts = [[f"{side} {number}" for number in range(100)] for side in sides]
    found = split_blocks(list(enumerate(texts)), sides, split_by=split_by, validation_share=0.5, split_seed=3)
    train, validation = ([text for text, _ in found[name]] for name in ("train", "validation"))
    assert set(texts[0]) <= set(validation)
    assert set(texts[2]) <= set(train)
    assert len(set(texts[1]) & set(validation)) > 25
    assert len(set(texts[1]) & set(train)) > 25


def test_the_share_is_of_the_sources_that_are_named_for_no_side():
    blocks = [(0, ["x" * 1000]), (1, ["y" * 10]), (2, ["z" * 500])]
    found = split_blocks(blocks, ("train", "share", "validation"), validation_share=0.2)
    assert found["train"] == [("x" * 1000, True), ("y" * 8, False)]
    assert found["validation"] == [("yy", True), ("z" * 500, True)]


@pytest.mark.parametrize("unit", ["word ", "你好", "a\n\n", " ", "x" * 3000 + " "])
def test_chunks_are_short_and_together_the_text(unit):
    text = unit * (3 * CHUNK_CHARACTERS // len(unit) + 5)
    found = list(chunks(text))
    assert "".join(found) == text
    assert len(found) >= 3
    assert max(map(len, found)) <= CHUNK_CHARACTERS


def test_a_short_text_is_one_chunk():
    assert list(chunks("abc")) == ["abc"]
