"""Ids from a cache of words are those that the tokenizers library gives."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import tokenizers
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, trainers

from raylm.data import word_cache
from raylm.data.word_cache import WordCache, splits_words

PROSE = (
    "It's 3.14, isn't it?\n\nWe'll see: the U.S.A. (and Café Noël) paid 1,000 euros; foo.bar(baz) = x_1!",
    "  indented\n\tcode  with   runs of  spaces \n and a tail of them   \n ",
    "naïve Ærø \u00d73 ÷2 日本語。テキスト Привет, мир! مرحبا؟ e\u0301a \u00a0no-break\u3000wide\u2003 em",
    "odd\x1cspace.\x1d\x1e and\x85next\x0bline <|endoftext|> is text",
    "",
    " ",
    "\n",
)
SIGNS = "ab'sé\u00d7٣1_.,!? \n\t\r\u00a0\u3000\x1c\x85\u0301日\U0001f600"


def byte_bpe(vocab_size: int = 400) -> tokenizers.Tokenizer:
    model = tokenizers.Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    model.train_from_iterator(PROSE * 3, trainer)
    model.encode_special_tokens = True
    return model


def expected(model: tokenizers.Tokenizer, texts: list[str]) -> list[list[int]]:
    return [each.ids for each in model.encode_batch_fast(texts, add_special_tokens=False)]


def test_every_text_gets_the_ids_that_the_library_gives() -> None:
    model = byte_bpe()
    cache = WordCache(model)
    for _ in range(2):  # words that are new, then words that are known
        assert [ids.tolist() for ids in cache.encode(PROSE)] == expected(model, list(PROSE))


@pytest.mark.parametrize("most_words", [1, 50, 1 << 17])
def test_made_up_texts_get_the_same_ids_however_few_words_are_kept(
    most_words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_cache, "_MOST_WORDS", most_words)
    model, draw = byte_bpe(), random.Random(0)
    texts = ["".join(draw.choices(SIGNS, k=draw.randrange(40))) for _ in range(3000)]
    cache = WordCache(model)
    for start in range(0, len(texts), 100):
        batch = texts[start : start + 100]
        assert [ids.tolist() for ids in cache.encode(batch)] == expected(model, batch)


def test_ids_above_65535_are_kept_whole() -> None:
    model = byte_bpe()
    model.add_special_tokens([f"<{number}>" for number in range(70_000)])
    assert WordCache(model).encode(["a text"])[0].itemsize == 4
    assert WordCache(model).encode(["a text"])[0].tolist() == expected(model, ["a text"])[0]


def _unsplit(model: tokenizers.Tokenizer) -> None:
    split = pre_tokenizers.Split(Regex(r"\w+[.\n]*"), "isolated")
    model.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(use_regex=False)])


def _lowercase(model: tokenizers.Tokenizer) -> None:
    model.normalizer = normalizers.Lowercase()


def _prefix(model: tokenizers.Tokenizer) -> None:
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)


def _phrase(model: tokenizers.Tokenizer) -> None:
    model.add_tokens([AddedToken("New York")])


@pytest.mark.parametrize("change", [_unsplit, _lowercase, _prefix, _phrase])
def test_a_tokenizer_whose_tokens_may_reach_over_words_has_no_cache(
    change: Callable[[tokenizers.Tokenizer], None],
) -> None:
    model = byte_bpe()
    assert splits_words(model)
    change(model)
    assert not splits_words(model)
