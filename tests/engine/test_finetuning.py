"""Fine-tuning: weights taken over, adapters, frozen layers, resumes that change no bit."""

import shutil

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from raylm.adapters.qlora import Qlora
from raylm.config.errors import BadInput
from raylm.engine.export import export
from raylm.engine.restore import restore
from raylm.optim.optimizers.adamw import AdamW
from raylm.runs.fork import delete
from raylm.runs.read import curve
from raylm.runs.run import Run
from tests.families import family_recipe
from tests.killed import killed_and_resumed
from tests.tiny import ONCE, train_alone, train_together
from tests.tiny_tasks import TASKS, task_recipe

LORA = {"adapter": {"kind": "lora", "rank": 2}}


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    """A pretrained run of each family that a task here begins with."""
    storage = str(tmp_path_factory.mktemp("parents"))
    runs = {}
    for kind in {family for family, _, _ in TASKS.values()}:
        recipe = family_recipe(kind, train={"max_steps": 10, "sequence_length": 48})
        runs[kind] = train_alone(recipe, storage, f"parent-{kind}")
    return runs


def begun_with(parent: Run, step: int = 10) -> dict:
    return {"init": {"from": f"{parent.uri}@{step}"}}


def losses(run: Run) -> list[float]:
    return [value for _, value in curve(run, "train/loss")]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_learned_from_random_weights_and_from_a_pretrained_model(task, storage, tmp_path, parents):
    steps = {"train": {"max_steps": 60}, "optimizer": {"learning_rate": 5e-3}, **ONCE}
    for name, more in (("random", {}), ("pretrained", begun_with(parents[TASKS[task][0]]))):
        run = train_alone(task_recipe(task, tmp_path, **steps, **more), storage, name)
        found = losses(run)
        assert sum(found[-8:]) / 8 < sum(found[:3]) / 3 * 0.9, name
        assert curve(run, "eval/loss")


def test_the_part_that_reads_begins_with_the_parents_weights(storage, tmp_path, parents):
    frozen = {"optimizer": {"learning_rate": 1e-12, "weight_decay": 0.0}, "train": {"max_steps": 5}}
    recipe = task_recipe("sequence_classification", tmp_path, **frozen, **begun_with(parents["bert"]))
    run = train_alone(recipe, storage, "child")
    mine, theirs = restore(run).model.bert, restore(parents["bert"]).model.bert
    for name, weight in theirs.encoder.state_dict().items():
        assert torch.allclose(mine.encoder.state_dict()[name], weight, atol=1e-9), name
    (event,) = [each for each in run.events() if each["event"] == "initialised"]
    assert event["fresh"] == ["classifier"]  # next sentences taught the pooler
    assert run.header()["init"] == {
        "uri": parents["bert"].uri,
        "step": 10,
        "digest": parents["bert"].checkpoints.show(10).digest,
    }


@pytest.mark.parametrize("adapter", [{}, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("task", ["sequence_classification", "chat", "translation"])
def test_a_killed_fine_tuning_resumes_bit_for_bit(task, adapter, storage, tmp_path, parents):
    recipe = task_recipe(
        task,
        tmp_path,
        train={"max_steps": 60},
        checkpoint={"every_steps": 10, "keep_best": True},
        evaluate={"every_steps": 15},
        **begun_with(parents[TASKS[task][0]]),
        **adapter,
    )
    run, twin = killed_and_resumed(recipe, storage, tmp_path)
    assert run.checkpoints.latest_good()[0].facts["best"] == twin.checkpoints.latest_good()[0].facts["best"]
    for name, weight in restore(twin).model.state_dict().items():
        assert torch.equal(weight, restore(run).model.state_dict()[name]), name


@pytest.mark.parametrize("kind", ["lora", "dora"])
@pytest.mark.parametrize("task", ["sequence_classification", "chat", "translation", "text_generation"])
def test_an_adapter_is_saved_alone_and_merged_for_use(kind, task, storage, tmp_path, parents):
    parent = parents[TASKS[task][0]]
    recipe = task_recipe(task, tmp_path, adapter={"kind": kind, "rank": 2}, **begun_with(parent))
    run = train_alone(recipe, storage, "adapter")
    checkpoint = run.checkpoints.show(20)
    full = train_alone(task_recipe(task, tmp_path, **begun_with(parent)), storage, "full").checkpoints.show(
        20
    )
    assert checkpoint.num_bytes < 0.6 * full.num_bytes  # of models whose head is a large part
    assert checkpoint.facts["base"]["digest"] == parent.checkpoints.show(10).digest
    assert checkpoint.facts["base"]["from"] == f"{parent.uri}@10"

    merged, apart = restore(run, 20).model, restore(run, 20, keep_adapter=True).model
    assert not any("lora" in name for name in merged.state_dict())
    ids = torch.randint(10, 300, (2, 12), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids[:, :5]} if task == "translation" else {})
    with torch.no_grad():
        assert torch.allclose(merged(**inputs).logits, apart(**inputs).logits, atol=1e-5)
        fresh = restore(parent).model
    if type(fresh) is type(merged):
        assert not torch.allclose(merged(**inputs).logits, fresh(**inputs).logits, atol=1e-3)


# Every two of the three choices meet once.
@pytest.mark.parametrize(
    ("adapter", "strategy", "precision"),
    [({}, "ddp", "float32"), ({}, "fsdp", "bfloat16"), (LORA, "ddp", "bfloat16"), (LORA, "fsdp", "float32")],
    ids=["full-ddp-float32", "full-fsdp-bfloat16", "lora-ddp-bfloat16", "lora-fsdp-float32"],
)
def test_two_processes_fine_tune_as_one_does(adapter, strategy, precision, storage, tmp_path, parents):
    recipe = task_recipe(
        "sequence_classification",
        tmp_path,
        train={"max_steps": 8, "precision": precision},
        scaling={"num_workers": 0, "threads_per_worker": 1, "strategy": strategy},
        **ONCE,
        **begun_with(parents["bert"]),
        **adapter,
    )
    alone = train_alone(recipe, storage, "one")
    two = train_together(recipe, storage, "two", world_size=2)
    assert losses(two) == pytest.approx(losses(alone), abs=1e-4 if precision == "float32" else 0.02)
    merged, other = restore(alone).model.state_dict(), restore(two).model.state_dict()
    for name, weight in merged.items():
        assert torch.allclose(weight, other[name], atol=1e-3 if precision == "float32" else 0.02), name


def test_runs_on_an_object_store_begin_with_each_other(tmp_path):
    storage = f"memory://{tmp_path.name}"
    recipe = family_recipe("bert", train={"max_steps": 10, "sequence_length": 48})
    parent = train_alone(recipe, storage, "parent")
    for name, more in (("full", {}), ("lora", LORA)):
        recipe = task_recipe("sequence_classification", tmp_path, **begun_with(parent), **more)
        child = train_alone(recipe, storage, name)
        assert child.status().status == "finished"
        assert restore(child).model.config.id2label == {0: "other", 1: "you"}


def test_a_parents_checkpoint_stays_as_long_as_a_child_lives(storage, tmp_path):
    recipe = family_recipe(
        "bert", train={"max_steps": 10, "sequence_length": 48}, checkpoint={"every_steps": 5}
    )
    parent = train_alone(recipe, storage, "parent")
    child = train_alone(
        task_recipe("sequence_classification", tmp_path, **begun_with(parent, 5), **LORA), storage, "child"
    )
    with pytest.raises(BadInput, match="5 is the start of child"):
        parent.checkpoints.delete(5)
    assert parent.checkpoints.retain(1) == []
    with pytest.raises(BadInput, match="delete them first: child"):
        delete(parent)
    delete(child)
    assert parent.checkpoints.retain(1) == [5]
    delete(parent)


def test_an_adapter_is_not_put_on_other_weights(storage, tmp_path):
    def trained(seed: int, run_id: str) -> Run:
        recipe = family_recipe("bert", train={"max_steps": 10, "sequence_length": 48, "seed": seed})
        return train_alone(recipe, storage, run_id)

    parent = trained(0, "parent")
    recipe = task_recipe("sequence_classification", tmp_path, **begun_with(parent), **LORA)
    child = train_alone(recipe, storage, "child")
    shutil.rmtree(f"{parent.uri}/checkpoints")
    shutil.copytree(f"{trained(1, 'other').uri}/checkpoints", f"{parent.uri}/checkpoints")
    with pytest.raises(BadInput, match="not the one that the adapter was trained on"):
        restore(child)


def test_weights_in_four_bits_carry_an_adapter(storage, tmp_path, monkeypatch):
    """On the CPU, which bitsandbytes can too; a recipe on this machine would be told that it needs a GPU."""
    monkeypatch.setattr(Qlora, "problems", lambda _: ())
    # As wide as the blocks that share a scale.
    wide = family_recipe("llama", model={"hidden_size": 64}, train={"max_steps": 5, "sequence_length": 48})
    export(train_alone(wide, storage, "wide"), None, tmp_path / "model")
    runs = {}
    for kind in ("lora", "qlora"):
        adapter = {"kind": kind, "rank": 2, "alpha": 4.0}
        recipe = task_recipe("chat", tmp_path, init={"from": str(tmp_path / "model")}, adapter=adapter)
        runs[kind] = train_alone(recipe, storage, kind)
    exact, coarse = losses(runs["lora"]), losses(runs["qlora"])
    assert coarse == pytest.approx(exact, abs=0.05)
    assert coarse != exact, "nothing was rounded"
    merged = restore(runs["qlora"]).model
    assert {weight.dtype for weight in merged.parameters()} == {torch.float32}


def test_frozen_weights_stay_as_they_were(storage, tmp_path, parents):
    init = {"init": {**begun_with(parents["bert"])["init"], "freeze": ["bert.embeddings.*", "*.attention.*"]}}
    recipe = task_recipe("sequence_classification", tmp_path, **init)
    run = train_alone(recipe, storage, "frozen")
    mine, theirs = restore(run).model.bert, restore(parents["bert"]).model.bert
    for name, weight in theirs.state_dict().items():
        if "position_ids" in name or "token_type_ids" in name:
            continue
        is_frozen = name.startswith("embeddings.") or ".attention." in name
        assert torch.equal(mine.state_dict()[name], weight) == is_frozen, name


def test_a_pattern_that_matches_no_weight_is_refused(storage, tmp_path, parents):
    init = {"init": {**begun_with(parents["bert"])["init"], "freeze": ["*.attentoin.*"]}}
    with pytest.raises(BadInput, match=r"attentoin.*matches no weight"):
        train_alone(task_recipe("sequence_classification", tmp_path, **init), storage, "frozen")
    assert not (tmp_path / "runs" / "frozen").exists(), "it was told before the run was made"


def test_target_modules_that_match_nothing_name_those_there_are(storage, tmp_path, parents):
    adapter = {"adapter": {"kind": "lora", "target_modules": ["q_proj"]}}
    recipe = task_recipe("sequence_classification", tmp_path, **begun_with(parents["bert"]), **adapter)
    with pytest.raises(
        BadInput, match=r"no linear or embedding layer is called q_proj; there are .*query.*value"
    ):
        train_alone(recipe, storage, "adapter")
    assert not (tmp_path / "runs" / "adapter").exists(), "it was told before the run was made"


@pytest.mark.parametrize(
    ("family", "task", "target"), [("gpt2", "text_generation", "wte"), ("t5", "translation", "shared")]
)
def test_a_target_that_is_also_the_head_is_refused(family, task, target, storage, tmp_path, parents):
    adapter = {"adapter": {"kind": "lora", "target_modules": [target]}}
    recipe = task_recipe(task, tmp_path, **begun_with(parents[family]), **adapter)
    with pytest.raises(BadInput, match=f"{target} shares its weights with another layer"):
        train_alone(recipe, storage, "adapter")


def test_embeddings_take_an_adapter_and_are_merged(storage, tmp_path, parents):
    adapter = {"adapter": {"kind": "lora", "rank": 2, "target_modules": ["query", "word_embeddings"]}}
    recipe = task_recipe("sequence_classification", tmp_path, **begun_with(parents["bert"]), **adapter)
    run = train_alone(recipe, storage, "embeddings")
    ids = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        adapted = restore(run).model(input_ids=ids).logits
    export(run, None, tmp_path / "model")
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    begun = restore(parents["bert"]).model.bert.embeddings.word_embeddings.weight
    assert not torch.equal(merged.bert.embeddings.word_embeddings.weight, begun)
    with torch.no_grad():
        assert torch.allclose(merged(input_ids=ids).logits, adapted, atol=1e-5)


def test_lower_layers_learn_more_slowly(parents):
    model = restore(parents["bert"]).model
    groups = AdamW(learning_rate=1e-3, layer_decay=0.5).build(model).param_groups
    names = {weight: name for name, weight in model.named_parameters()}
    shares = {names[weight]: group["rate_share"] for group in groups for weight in group["params"]}
    assert len(shares) == len(names)
    assert shares["bert.embeddings.word_embeddings.weight"] == 0.25
    assert shares["bert.encoder.layer.0.attention.self.query.weight"] == 0.5
    assert shares["cls.predictions.transform.dense.weight"] == 1.0
