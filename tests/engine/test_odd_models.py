"""Models with weights that no loss reaches, or tensors that are no weights, are fine-tuned like others."""

import pytest
import torch
from transformers import AutoTokenizer, BartConfig, BartForConditionalGeneration

from raylm.api.evaluate import evaluate
from raylm.engine.export import export
from raylm.engine.restore import restore
from raylm.runs.read import curve
from tests.families import TOKENIZERS
from tests.tiny import ONCE, train_alone, train_together
from tests.tiny_tasks import task_recipe


@pytest.mark.parametrize("task", ["sequence_classification", "token_classification", "question_answering"])
def test_an_xlnet_is_fine_tuned_by_two_processes_and_resumed_by_one(task, storage, tmp_path):
    """Its query stream is for predicting in any order: no other head's loss reaches its first weight."""
    xlnet = {"model": {"kind": "xlnet", "dropout": 0.0}, "tokenizer": TOKENIZERS["xlnet"]}
    recipe = task_recipe(task, tmp_path, **xlnet, train={"max_steps": 8}, **ONCE)
    alone = train_alone(recipe, storage, "one")
    train_together(recipe, storage, "two", world_size=2, last_step=5)
    two = train_together(recipe, storage, "two", world_size=1)
    assert [loss for _, loss in curve(two, "train/loss")] == pytest.approx(
        [loss for _, loss in curve(alone, "train/loss")], abs=1e-4
    )


def test_what_a_model_keeps_beside_its_weights_comes_back(storage, tmp_path):
    """BART adds a bias to its logits that is no weight; a folder may bring one."""
    t5 = train_alone(task_recipe("translation", tmp_path, train={"max_steps": 5}), storage, "t5")
    export(t5, None, tmp_path / "t5")  # for its tokenizer
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "t5")
    shape = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 32}
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    start = {
        "decoder_start_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "forced_eos_token_id": None,
    }
    config = BartConfig(
        vocab_size=len(tokenizer), max_position_embeddings=64, **shape, **heads, **ends, **start
    )
    model = BartForConditionalGeneration(config)
    model.final_logits_bias.normal_(std=3.0, generator=torch.Generator().manual_seed(0))
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "bart")
    run = train_alone(
        task_recipe("translation", tmp_path, init={"from": str(tmp_path / "bart")}), storage, "run"
    )
    child = train_alone(
        task_recipe("translation", tmp_path, init={"from": f"{run.uri}@20"}), storage, "child"
    )
    for each in (run, child):
        assert torch.equal(restore(each).model.final_logits_bias, model.final_logits_bias)
    (measured,) = [value for step, value in curve(run, "eval/loss") if step == 20]
    again = evaluate(run, {"kind": "validation"})["metrics"]["loss"]
    assert again == pytest.approx(measured, abs=1e-4)
