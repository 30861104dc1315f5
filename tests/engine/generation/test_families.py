"""What holds for every family: batches, pieces, seeds, cancelling, and the shared random numbers."""

import pytest
import torch

from raylm.config.errors import BadInput
from raylm.engine.generation import Decoding, generate, texts_of
from raylm.engine.generation.writers import writer_for

FAMILIES = ("gpt2", "llama", "bert", "roberta", "t5", "xlnet")
WRITE = ("gpt2", "llama", "t5", "xlnet")
PROMPTS = {
    "bert": ["To be or [MASK] to be", "a [MASK]", "[MASK] Citizen : We are [MASK] , good"],
    "roberta": ["To be or <mask> to be", "a <mask>", "<mask> Citizen: We are<mask>, good"],
    "t5": ["To be <extra_id_0> to be", "a", "First Citizen: We are <extra_id_0>, good <extra_id_1>."],
}
LEFT_TO_RIGHT = ["First Cit", "a", "To be or not to be, that"]


def prompts_of(family: str) -> list[str]:
    return PROMPTS.get(family, LEFT_TO_RIGHT)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_gives_what_its_prompts_give_alone(checkpoint_of, family, temperature):
    prompts = prompts_of(family)
    options = {"temperature": temperature, "max_new_tokens": 45}  # past the context of 32
    together = texts_of(checkpoint_of(family), prompts, Decoding(seed=5, **options))
    for number, prompt in enumerate(prompts):
        alone = texts_of(checkpoint_of(family), [prompt], Decoding(seed=5 + number, **options))
        assert together[number] == alone[0]
    assert len(set(together)) > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_more_prompts_than_a_batch_are_all_written_to(checkpoint_of, family):
    prompts = [prompts_of(family)[number % 3] for number in range(35)]
    texts = texts_of(checkpoint_of(family), prompts, Decoding(temperature=0, max_new_tokens=3))
    assert texts == [texts[number % 3] for number in range(35)]


@pytest.mark.parametrize("family", WRITE)
def test_pieces_of_all_prompts_come_interleaved_and_end_once(checkpoint_of, family):
    prompts = prompts_of(family)
    chunks = list(generate(checkpoint_of(family), prompts, Decoding(seed=1, temperature=2, max_new_tokens=9)))
    assert [chunk.prompt for chunk in chunks[:6]] == [0, 1, 2, 0, 1, 2]
    last = [chunk for chunk in chunks if chunk.is_last]
    assert sorted(chunk.prompt for chunk in last) == [0, 1, 2]
    for chunk in last:
        assert chunk is [each for each in chunks if each.prompt == chunk.prompt][-1]
        assert (chunk.details["num_tokens"] < 9) == (chunk.details["reason"] == "end")


@pytest.mark.parametrize("family", WRITE)
def test_a_seed_repeats_a_text_and_another_seed_gives_another(checkpoint_of, family):
    prompt = prompts_of(family)[:1]
    one, same, other = (
        texts_of(checkpoint_of(family), prompt, Decoding(temperature=2.0, seed=seed, max_new_tokens=20))
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("num_beams", [1, 2])
@pytest.mark.parametrize("family", WRITE)
def test_generating_leaves_the_shared_random_numbers_alone(checkpoint_of, family, num_beams):
    before = torch.get_rng_state()
    texts_of(checkpoint_of(family), prompts_of(family), Decoding(max_new_tokens=4, num_beams=num_beams))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("family", WRITE)
def test_cancelling_takes_effect_between_two_tokens(checkpoint_of, family):
    asked = []

    def is_cancelled():
        asked.append(1)
        return len(asked) == 3

    decoding = Decoding(max_new_tokens=50, seed=0, temperature=2)
    seen = [*generate(checkpoint_of(family), prompts_of(family)[:1], decoding, is_cancelled)]
    assert len(seen) == 3
    assert not any(chunk.is_last for chunk in seen)


@pytest.mark.parametrize("family", WRITE)
def test_a_beam_search_is_cancelled_too(checkpoint_of, family):
    asked = []

    def is_cancelled():
        asked.append(1)
        return len(asked) >= 3

    decoding = Decoding(max_new_tokens=20, num_beams=2)
    assert list(generate(checkpoint_of(family), ["a"], decoding, is_cancelled)) == []
    assert 3 <= len(asked) <= 5


@pytest.mark.parametrize("family", FAMILIES)
def test_the_context_is_what_the_model_reads_or_was_trained_at(checkpoint_of, family):
    assert writer_for(checkpoint_of(family)).speaker.context == 32


@pytest.mark.parametrize(
    ("family", "context"), [("gpt2", 32), ("roberta", 32), ("t5", None), ("xlnet", None)]
)
def test_a_model_without_its_run_says_how_far_it_looks_where_it_can(checkpoint_of, family, context):
    model, tokenizer, *_ = checkpoint_of(family)
    assert writer_for((model, tokenizer)).speaker.context == context


def test_a_model_that_cannot_write_is_refused_by_name(checkpoint_of):
    from transformers import BertForSequenceClassification

    model, tokenizer, *_ = checkpoint_of("bert")
    with pytest.raises(BadInput, match="BertForSequenceClassification has no head that writes"):
        writer_for((BertForSequenceClassification(model.config), tokenizer))


def test_half_a_surrogate_pair_is_no_prompt(checkpoint_of):
    with pytest.raises(BadInput, match=r"prompts\.1: holds half a surrogate pair"):
        texts_of(checkpoint_of("gpt2"), ["a", "\ud800"])
