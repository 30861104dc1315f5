"""Prompts that are too long for a row of a decoder: what of them is learned from."""

from typing import Any

import pytest

from raylm.config.choice import discover
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.tasks import Task

discover("raylm.tasks")
LONG = "the cat sat " * 100
# Of each task: what its section says, and a row with a long prompt.
TASKS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "summarization": ({}, {"document": LONG, "summary": "The river rose."}),
    "translation": ({}, {"source": LONG, "target": "die Katze schläft jetzt hier"}),
    "grammar_correction": ({}, {"source": LONG, "target": "he goes to the school"}),
    "code_generation": ({}, {"prompt": LONG, "canonical_solution": "    return a + b\n"}),
    "code_explanation": ({}, {"code": LONG, "description": "read a json file"}),
    "text_generation": ({"prompt_field": "title"}, {"title": LONG, "text": "once upon a time"}),
}


@pytest.fixture(scope="module")
def decoder():
    return TextEncoder(ByteBpe(vocab_size=300).train(iter(["the cat sat"] * 5)), "supervised")


@pytest.mark.parametrize("kind", TASKS)
def test_a_prompt_that_is_too_long_loses_its_beginning_never_the_answer(kind, decoder):
    fields, values = TASKS[kind]
    task: Any = Task.model_validate({"kind": kind, **fields})
    found = task.record(values)
    (whole,) = task.encode(found, decoder)
    length = 2 * sum(whole.target) + 20
    short = TextEncoder(decoder.tokenizer, "supervised", row_length=length)
    (row,) = task.encode(found, short)
    assert len(row.tokens) == length + 1  # the last one is predicted, not read
    assert list(row.tokens) == list(whole.tokens)[-length - 1 :]
    assert sum(row.target) == sum(whole.target)
    assert row.num_left_out == len(whole.tokens) - length - 1
    roomy = TextEncoder(decoder.tokenizer, "supervised", row_length=len(whole.tokens) - 1)
    assert task.encode(found, roomy) == [whole]


def test_of_an_answer_longer_than_a_row_as_much_is_learned_as_leaves_half_to_the_prompt(decoder):
    short = TextEncoder(decoder.tokenizer, "supervised", row_length=10)
    task: Any = Task.model_validate({"kind": "translation"})
    (row,) = task.encode(task.record({"source": "x" * 500, "target": "y" * 500}), short)
    assert row.target[:11] == [0] * 5 + [1] * 6
    assert decoder.tokenizer.decode(row.tokens[:6]) == "xxxx\ny"
