"""XLNet writes as transformers does when it keeps nothing of what it has read."""

import pytest
import torch

from raylm.engine.generation import Decoding, texts_of

PROMPT = "First Cit"


def ids_of(restored):
    return restored.tokenizer(PROMPT, return_tensors="pt", add_special_tokens=False).input_ids


@pytest.mark.parametrize("num_beams", [1, 3])
def test_the_text_is_what_transformers_generates(checkpoint_of, num_beams):
    restored = checkpoint_of("xlnet")
    ids = ids_of(restored)
    options = {"do_sample": False, "num_beams": num_beams, "max_new_tokens": 12, "use_mems": False}
    theirs = restored.model.generate(ids, **options)[0, ids.shape[1] :]
    expected = restored.tokenizer.decode(theirs, skip_special_tokens=True)
    ours = texts_of(restored, [PROMPT], Decoding(temperature=0, num_beams=num_beams, max_new_tokens=12))
    assert ours == [expected]


def test_it_looks_no_further_back_than_it_was_trained(checkpoint_of):
    restored = checkpoint_of("xlnet")
    ids = ids_of(restored)[0].tolist()
    num_prompt = len(ids)
    for _ in range(40):
        row = torch.tensor([[*ids[-31:], 7]])  # any token may stand at the new one's place
        hidden = torch.zeros(1, row.shape[1], row.shape[1])
        hidden[:, :, -1] = 1
        with torch.no_grad():
            logits = restored.model(
                row, perm_mask=hidden, target_mapping=hidden[:, :1], use_mems=False
            ).logits
        ids.append(int(logits[0, 0].argmax()))
    expected = restored.tokenizer.decode(ids[num_prompt:])
    assert texts_of(restored, [PROMPT], Decoding(temperature=0, max_new_tokens=40)) == [expected]
