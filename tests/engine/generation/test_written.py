"""Text is shown as its tokens come, and never half a character."""

import pytest
from transformers import AutoTokenizer

from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.engine.generation.written import Written, special_ids
from tests.tiny import CORPUS

FAMILIES = ("gpt2", "llama", "bert", "roberta", "t5", "xlnet")


@pytest.fixture(scope="module")
def byte_tokenizer(tmp_path_factory):
    """Return a tokenizer without merges, so that each byte is a token."""
    folder = tmp_path_factory.mktemp("bytes")
    ByteBpe(vocab_size=258).train(iter(["x"])).save(folder)
    return AutoTokenizer.from_pretrained(folder)


def pieces_of(tokenizer, ids, before=()):
    written = Written(tokenizer, special_ids(tokenizer), before)
    pieces = [written.add(id_) for id_ in ids]
    assert written.text == "".join(pieces)
    return [piece for piece in pieces if piece]


@pytest.mark.parametrize(
    "text", ["plain , text .", "ﬁne é", "naïve 🙂🙂 日本語", "a\ufffdb", "👩‍👩‍👧 family", "line\n  break"]
)
@pytest.mark.parametrize("before", ["", "x", "🙂", "a 日"])
def test_a_piece_never_ends_inside_a_character(byte_tokenizer, text, before):
    ids = byte_tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) == len(text.encode())
    pieces = pieces_of(byte_tokenizer, ids, byte_tokenizer.encode(before, add_special_tokens=False))
    assert "".join(pieces) == text
    assert all("\ufffd" not in piece for piece in pieces if "\ufffd" not in text)


def test_half_a_character_at_the_end_is_not_shown(byte_tokenizer):
    ids = byte_tokenizer.encode("ab🙂", add_special_tokens=False)[:-1]
    assert pieces_of(byte_tokenizer, ids) == ["a", "b"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pieces_are_the_text_of_all_tokens_at_once(checkpoint_of, family):
    tokenizer = checkpoint_of(family).tokenizer
    ids = tokenizer.encode(CORPUS.read_text()[:3000], add_special_tokens=False)
    pieces = pieces_of(tokenizer, ids)
    assert "".join(pieces) == tokenizer.decode(ids)
    assert len(pieces) > 500


@pytest.mark.parametrize("family", FAMILIES)
def test_text_goes_on_behind_its_prompt_as_if_they_were_one(checkpoint_of, family):
    tokenizer = checkpoint_of(family).tokenizer
    ids = tokenizer.encode("First Citizen: Before we proceed any further", add_special_tokens=False)
    for cut in range(1, len(ids)):
        assert tokenizer.decode(ids[:cut]) + "".join(pieces_of(tokenizer, ids[cut:], ids[:cut])) == (
            tokenizer.decode(ids)
        )


def test_special_tokens_are_no_text(checkpoint_of):
    tokenizer = checkpoint_of("bert").tokenizer
    ids = [
        tokenizer.cls_token_id,
        *tokenizer.encode("to be", add_special_tokens=False),
        tokenizer.mask_token_id,
    ]
    assert "".join(pieces_of(tokenizer, ids)) == "to be"
