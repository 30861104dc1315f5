"""Each kind of tokenizer spells its tokens in its own way; a person sees the text, or the bytes."""

import pytest

from raylm.config.choice import discover
from raylm.data.token_looks import TokenLooks
from raylm.data.tokenizers import Tokenizer

TEXTS = ["the cat sat on the mat\n", "the dog 🙂 sat too; été\n"] * 20
KINDS = {
    "character": {},
    "byte_bpe": {"vocab_size": 300},
    "unigram": {"vocab_size": 300},
    "wordpiece": {"vocab_size": 100, "special_tokens": "bert"},
    "word": {},
}


@pytest.fixture(params=KINDS)
def looks(request) -> TokenLooks:
    discover("raylm.data.tokenizers")
    tokenizer = Tokenizer.model_validate({"kind": request.param, **KINDS[request.param]})
    return TokenLooks(tokenizer.train(iter(TEXTS)))


def test_every_id_looks_like_text_or_like_bytes(looks):
    for number in range(looks.trained.vocab_size):
        look = looks.of(number)
        assert look is not None
        assert bool(look.text) != bool(look.bytes)
    assert looks.of(looks.trained.vocab_size) is None


def test_special_and_unknown_tokens_are_told(looks):
    assert looks.of(looks.trained.eos_token_id).is_special
    assert not looks.of(looks.trained.encode("the")[0]).is_special
    unknown = looks.trained.unk_token_id
    assert unknown is None or looks.of(unknown).is_unknown


def test_tokens_of_bytes_join_to_the_text():
    tokenizer = Tokenizer.model_validate({"kind": "byte_bpe", "vocab_size": 300})
    looks = TokenLooks(tokenizer.train(iter(TEXTS)))
    text = "a cat \N{GRINNING FACE}\t\x00\xa0été"
    seen = [looks.of(number) for number in looks.trained.encode(text)]
    assert b"".join(each.text.encode() or bytes.fromhex(each.bytes) for each in seen) == text.encode()
    assert any(each.bytes for each in seen)
