"""Token classification: words with tags, the tokens they become, and a dictionary."""

import json

import pytest
from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.data.records import NoTextError
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.unigram import Unigram
from raylm.data.tokenizers.wordpiece import WordPiece
from raylm.tasks.token_classification import TokenClassification

WORDS = ["Anna", "lives", "in", "New", "York", ",", "München", "or", "東京", "!"]
TAGS = ["B-PER", "O", "O", "B-LOC", "I-LOC", "O", "B-LOC", "O", "B-LOC", "O"]
LABELS = ("O", "B-LOC", "B-PER", "I-LOC")
TEXTS = [" ".join(WORDS), "Anna or anna lives", "in York in München, New in 東京!"] * 6
TOKENIZERS = {
    "wordpiece": WordPiece(vocab_size=120),
    "roberta": ByteBpe(vocab_size=275, special_tokens="roberta"),
    "gpt": ByteBpe(vocab_size=280),
    "t5": Unigram(vocab_size=400, special_tokens="t5"),
    "xlnet": Unigram(vocab_size=300, special_tokens="xlnet"),
}
TASK = TokenClassification()


@pytest.fixture(scope="module", params=sorted(TOKENIZERS))
def encoder(request):
    trained = TOKENIZERS[request.param].train(iter(TEXTS))
    return TextEncoder(trained, "token_classification", LABELS)


def refusal(row, **settings):
    with pytest.raises(NoTextError) as error:
        TokenClassification(**settings).record(row)
    return error.value


def test_every_word_has_its_tag_at_its_first_token_and_nowhere_else(encoder):
    [row] = TASK.encode({"words": WORDS, "tags": TAGS}, encoder)
    assert len(row.target) == len(row.tokens)
    assert [LABELS[number] for number in row.target if number >= 0] == TAGS
    assert {number for number in row.target if number < 0} <= {-100}
    encoding = encoder.whole(" ".join(WORDS))
    assert row.tokens == encoding.ids
    starts = [len("".join(f"{word} " for word in WORDS[:count])) for count in range(len(WORDS))]
    labelled = [place for place, number in enumerate(row.target) if number >= 0]
    for place, start, word in zip(labelled, starts, WORDS, strict=True):
        low, high = encoding.offsets[place]
        assert low in (start, start - 1)  # with the blank before it
        assert start < high <= start + len(word)
        assert not encoding.special_tokens_mask[place]


def test_longer_words_than_one_token_are_there_at_all(encoder):
    [row] = TASK.encode({"words": WORDS, "tags": TAGS}, encoder)
    inner = len(row.tokens) - sum(encoder.whole(" ".join(WORDS)).special_tokens_mask)
    assert inner > len(WORDS)  # else the tests above could not fail


def test_a_word_without_tokens_takes_no_ones_place(encoder):
    [row] = TASK.encode({"words": ["Anna", "", "York"], "tags": ["B-PER", "O", "B-LOC"]}, encoder)
    assert [LABELS[number] for number in row.target if number >= 0] == ["B-PER", "B-LOC"]


def test_a_word_may_hold_a_blank(encoder):
    [row] = TASK.encode({"words": ["Anna", "New York", "in"], "tags": ["B-PER", "B-LOC", "O"]}, encoder)
    assert [LABELS[number] for number in row.target if number >= 0] == ["B-PER", "B-LOC", "O"]


def test_a_record_has_words_and_tags():
    record = TASK.record({"tokens": WORDS, "tags": TAGS, "id": 3})
    assert json.loads(json.dumps(record)) == {"words": WORDS, "tags": TAGS}
    assert TASK.texts(record) == (" ".join(WORDS),)
    assert TASK.field_names() == ("tokens", "tags")


def test_numbers_count_the_labels():
    task = TokenClassification(tags_field="ner", labels=LABELS)
    record = task.record({"tokens": ["New", "York"], "ner": [1, 3]})
    assert record["tags"] == ["B-LOC", "I-LOC"]


def test_older_tags_become_iob2():
    assert TASK.record({"tokens": ["New", "York"], "tags": ["I-LOC", "I-LOC"]})["tags"] == ["B-LOC", "I-LOC"]


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, {}, "2 tokens, 1 tags"),
        ({"tokens": ["a"], "tags": ["LOC"]}, {}, "tags: 'LOC' is no IOB2 tag: want O, B-x or I-x"),
        ({"tokens": ["a"], "tags": [1]}, {}, "tags are numbers"),
        ({"tokens": ["a"], "tags": [4]}, {"labels": LABELS}, "tags 4: labels has 4 names"),
        (
            {"tokens": ["a"], "tags": [True]},
            {"labels": LABELS},
            "tags: want texts or numbers, got true or false",
        ),
        ({"tokens": ["a"], "tags": ["B-ORG"]}, {"labels": LABELS}, "tags: 'B-ORG' is none of the 4 labels"),
        ({"tokens": ["a"], "tags": [None]}, {}, "tags: want texts or numbers, got null"),
        ({"tokens": "a b", "tags": ["O"]}, {}, "tokens: want a list of words, got text"),
        ({"tokens": ["a", 2], "tags": ["O", "O"]}, {}, "tokens: item 1 is whole number; want text"),
        ({"tokens": [], "tags": []}, {}, "tokens is empty"),
        ({"tokens": None, "tags": []}, {}, "tokens is null"),
        ({"words": ["a"], "tags": ["O"]}, {}, "no 'tokens'; columns are words, tags"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(row, settings, message):
    assert refusal(row, **settings).message == message


@pytest.mark.parametrize("labels", [("O", "I-PER"), ("B-PER",), ("O", "PER"), ("O", "O", "B-PER")])
def test_labels_that_no_row_can_be_tagged_with_are_refused(labels):
    with pytest.raises(ValidationError):
        TokenClassification(labels=labels)


def test_the_labels_of_a_record_lack_no_beginning():
    assert list(TASK.label_names({"words": ["a", "b"], "tags": ["B-LOC", "I-LOC"]})) == [
        "O",
        "B-LOC",
        "I-LOC",
    ]


def test_labels_begin_with_o_unless_their_order_is_given():
    assert TASK.label_set({"I-PER", "B-LOC"}) == ("O", "B-LOC", "B-PER", "I-PER")
    assert TokenClassification(labels=("B-X", "O")).label_set({"O", "B-X"}) == ("B-X", "O")
    with pytest.raises(BadInput, match="every training row has the label 'O'"):
        TASK.label_set({"O"})


def test_answers_are_judged_by_whole_entities():
    records = [{"words": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}, {"words": ["a"], "tags": ["O"]}]
    found = TASK.judge(records, [["B-LOC", "O"], ["O"]])
    assert found.metrics(found.stats.sum(axis=0))["f1"] == 0
    found = TASK.judge(records, [["B-LOC", "I-LOC"], ["O"]])
    assert next(iter(found.metrics(found.stats.sum(axis=0)).items())) == ("f1", 1.0)


def test_the_dictionary_says_what_a_word_mostly_was():
    train = [
        {"words": ["New", "York"], "tags": ["B-LOC", "I-LOC"]},
        {"words": ["york", "May"], "tags": ["O", "B-PER"]},
        {"words": ["May", "May"], "tags": ["O", "O"]},
    ]
    asked = [["New", "York", "yORK", "May", "unseen"], ["York"]]
    found = TASK.baselines(iter(train), [{"words": words, "tags": ["O"] * len(words)} for words in asked])
    # "york" was as often a place as not: the first that was seen counts.
    assert found == {"dictionary": [["B-LOC", "I-LOC", "I-LOC", "O", "O"], ["B-LOC"]]}
    assert TASK.baselines([], [{"words": ["a"], "tags": ["O"]}]) == {"dictionary": [["O"]]}
