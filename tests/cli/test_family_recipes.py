"""Families, objectives and tokenizers that do not go together are refused before anything starts."""

from pathlib import Path

import pytest
import torch

from raylm.config import BadInput
from raylm.engine.device import refuse_missing_precision
from raylm.recipe import Recipe
from tests.cli.test_recipes import RECIPE, call, folder, refused

__all__ = ["folder"]  # pytest takes the fixture from here


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            ["objective.kind=masked"],
            (
                "objective.kind (command line): masked does not fit the model gpt2; "
                "gpt2 takes causal, prefix; masked takes bert, pretrained, roberta"
            ),
        ),
        (
            ["model.kind=bert"],
            "causal does not fit the model bert; bert takes masked, next_sentence, sentence_order",
        ),
        (["model.kind=roberta", "objective.kind=next_sentence"], "roberta takes masked"),
        (["model.kind=t5", "objective.kind=permutation"], "permutation takes pretrained, xlnet"),
    ],
)
def test_row_67_what_does_not_fit_names_what_would(capsys, overrides, says):
    assert says in refused(capsys, "check", "run.yaml", *overrides)


@pytest.mark.parametrize(
    ("family", "objective", "lacking"),
    [
        ("bert", "masked", "mask_token and cls_token and sep_token"),
        ("t5", "span_corruption", "pad_token"),
        ("xlnet", "permutation", "sep_token and cls_token"),
    ],
)
def test_row_57_a_tokenizer_without_the_special_tokens_is_refused(capsys, family, objective, lacking):
    kinds = [f"model.kind={family}", f"objective.kind={objective}"]
    err = refused(capsys, "check", "run.yaml", *kinds, "tokenizer.special_tokens=gpt")
    assert f"{objective} needs a tokenizer with {lacking}; set tokenizer.special_tokens={family}" in err
    assert call(capsys, "check", "run.yaml", *kinds)[0] == 0, "left open, they are the family's own"


def test_row_57_prepared_data_with_another_tokenizer_is_refused_when_it_is_opened(capsys):
    assert call(capsys, "prepare", "run.yaml", "data.path=prepared")[0] == 0
    kinds = ["model.kind=bert", "objective.kind=masked", "data.path=prepared", "tokenizer.special_tokens=gpt"]
    err = refused(capsys, "train", "run.yaml", *kinds)
    assert "masked needs a tokenizer with mask_token" in err


def test_too_few_sentinels_say_how_many_are_needed(capsys):
    kinds = ["model.kind=t5", "objective.kind=span_corruption", "train.sequence_length=4000"]
    err = refused(capsys, "check", "run.yaml", *kinds)
    assert "span_corruption needs 222 sentinels, <extra_id_0> and on, the tokenizer has 100" in err
    assert "shorten train.sequence_length or lengthen objective.mean_span" in err


@pytest.mark.parametrize(("objective", "family"), [("masked", "bert"), ("next_sentence", "bert")])
def test_a_sequence_with_no_room_for_a_target_is_refused(capsys, objective, family):
    kinds = [f"model.kind={family}", f"objective.kind={objective}", "train.sequence_length=2"]
    err = refused(capsys, "check", "run.yaml", *kinds)
    says = f"train.sequence_length (command line): 2 tokens leave {objective} nothing to predict; try 64"
    assert says in err


def test_documents_apart_are_refused_where_the_objective_cannot_keep_them_apart(capsys):
    kinds = ["model.kind=t5", "objective.kind=span_corruption"]
    apart = ["data.attend_across_documents=false"]
    err = refused(capsys, "check", "run.yaml", *kinds, *apart)
    assert "set data.packing=document, or train causal or masked" in err
    assert call(capsys, "check", "run.yaml", *kinds, *apart, "data.packing=document")[0] == 0
    assert call(capsys, "check", "run.yaml", *apart)[0] == 0


def test_a_recipe_without_a_tokenizer_gets_its_familys(tmp_path):
    usual = {
        "gpt2": ("causal", "byte_bpe", "gpt"),
        "llama": ("causal", "byte_bpe", "gpt"),
        "bert": ("masked", "wordpiece", "bert"),
        "roberta": ("masked", "byte_bpe", "roberta"),
        "t5": ("span_corruption", "unigram", "t5"),
        "xlnet": ("permutation", "unigram", "xlnet"),
    }
    text = RECIPE.replace("tokenizer: {kind: character}\n", "")
    Path("open.yaml").write_text(text)
    Path("size.yaml").write_text(text + "tokenizer: {vocab_size: 999}\n")
    for family, (objective, kind, special) in usual.items():
        kinds = [f"model.kind={family}", f"objective.kind={objective}"]
        tokenizer = Recipe.load("open.yaml", kinds).tokenizer
        assert (tokenizer.kind, tokenizer.special_tokens) == (kind, special)
        assert Recipe.load("size.yaml", kinds).tokenizer.vocab_size == 999


def test_a_plan_shows_the_parameters_of_each_size(capsys):
    code, out, _ = call(capsys, "plan", "run.yaml")
    assert code == 0
    sizes = next(line for line in out.splitlines() if line.startswith("sizes by name"))
    assert [part.split()[0] for part in sizes[18:].split(", ")] == [
        *("tiny", "mini", "small", "medium", "base", "large"),
    ]
    assert "base 85.1M" in sizes  # 85.06M in the blocks, and 30 characters


def test_row_66_a_gpu_without_bfloat16_is_named(monkeypatch):
    gpu = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla V100")
    says = r"train.precision: bfloat16: this device \(Tesla V100\) has no bfloat16; set it to float32"
    with pytest.raises(BadInput, match=says):
        refuse_missing_precision(gpu, "bfloat16")
    refuse_missing_precision(gpu, "float32")
    refuse_missing_precision(torch.device("cpu"), "bfloat16")
