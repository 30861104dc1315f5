"""T5 writes as transformers does, and the spans of a prompt with sentinels find their places."""

import pytest
import torch

from raylm.config.errors import BadInput
from raylm.engine.generation import Decoding, generate, texts_of
from raylm.engine.generation.encoder_decoder import EncoderDecoder, spans_of
from raylm.engine.generation.writers import writer_for

PROMPT = "First Citizen:<extra_id_0> any further,<extra_id_1> speak."


@pytest.fixture
def restored(checkpoint_of):
    return checkpoint_of("t5")


@pytest.mark.parametrize("num_beams", [1, 4])
@pytest.mark.parametrize("prompt", [PROMPT, "Before we proceed"])
def test_the_text_is_what_transformers_generates(restored, prompt, num_beams):
    ids = restored.tokenizer(prompt, return_tensors="pt").input_ids
    assert ids[0, -1] == restored.tokenizer.eos_token_id
    theirs = restored.model.generate(ids, do_sample=False, num_beams=num_beams, max_new_tokens=15)[0]
    ends = {restored.tokenizer.eos_token_id, restored.tokenizer.pad_token_id}
    expected = restored.tokenizer.decode([id_ for id_ in theirs.tolist() if id_ not in ends])
    decoding = Decoding(temperature=0, num_beams=num_beams, max_new_tokens=15)
    assert len(expected) > 5
    assert texts_of(restored, [prompt], decoding) == [expected.rstrip("\ufffd")]


def test_a_search_gives_all_its_texts_the_likeliest_first(restored):
    (chunk,) = generate(restored, [PROMPT], Decoding(num_beams=3, max_new_tokens=8))
    scores = [beam["score"] for beam in chunk.details["beams"]]
    assert chunk.is_last
    assert chunk.text == chunk.details["beams"][0]["text"]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3


def test_a_sentinel_of_the_prompt_is_one_token_and_takes_the_space_before_it(restored):
    writer = writer_for(restored)
    with_space, without = writer.read(["a <extra_id_0> b", "a<extra_id_0> b"])
    assert with_space == without
    assert restored.tokenizer.convert_ids_to_tokens(without) == ["a", "<extra_id_0>", "Ġb", "</s>"]


def test_the_spans_that_are_written_find_their_places(restored, monkeypatch):
    said = "<extra_id_0> before we proceed<extra_id_1> hear me</s>"
    ids = restored.tokenizer.encode(said, add_special_tokens=False)
    size = len(restored.tokenizer)

    def logits(_self, _read, _written):
        for id_ in ids:
            yield torch.nn.functional.one_hot(torch.tensor([id_]), size).float()

    monkeypatch.setattr(EncoderDecoder, "logits", logits)
    chunks = list(generate(restored, ["Wait <extra_id_0>, <extra_id_1>."], Decoding(temperature=0)))
    assert "".join(chunk.text for chunk in chunks) == said.removesuffix("</s>")
    assert chunks[-1].details["spans"] == {"<extra_id_0>": " before we proceed", "<extra_id_1>": " hear me"}
    assert chunks[-1].details["filled"] == "Wait before we proceed, hear me."
    assert chunks[-1].details["reason"] == "end"


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", {}),
        ("no sentinel", {}),
        ("lost<extra_id_0>one", {"<extra_id_0>": "one"}),
        ("<extra_id_0>a<extra_id_1><extra_id_0>b", {"<extra_id_0>": "a", "<extra_id_1>": ""}),
    ],
)
def test_spans_are_read_from_whatever_a_model_writes(text, spans):
    assert spans_of(text) == spans


def test_a_prompt_that_would_fill_the_memory_is_refused(restored):
    with pytest.raises(BadInput, match=r"prompt: has 5,\d\d\d tokens, of which the model reads 4,096"):
        texts_of(restored, ["?" * 5000])
