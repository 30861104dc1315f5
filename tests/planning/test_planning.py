import os
from pathlib import Path

import pytest

from raylm.adapters.lora import Lora
from raylm.config import Node
from raylm.data.prepare import prepare
from raylm.models import Vocabulary
from raylm.planning import plan, preflight
from raylm.planning.machine import is_local_disk, this_machine
from raylm.recipe import Recipe
from raylm.runs.append import MetricsWriter
from raylm.runs.records import StepRecord
from raylm.runs.run import Run

NODE = Node("a", 4, memory_bytes=8 * 10**9)


@pytest.fixture
def values(tmp_path):
    (tmp_path / "corpus.txt").write_text("abcdefgh\n" * 500)
    return {
        "name": "tiny",
        "model": {"kind": "gpt2", "num_layers": 1, "num_heads": 2, "hidden_size": 16},
        "tokenizer": {"kind": "character"},
        "data": {"sources": [{"kind": "text", "path": str(tmp_path / "corpus.txt")}]},
        "objective": {"kind": "causal"},
        "optimizer": {"kind": "adamw"},
        "schedule": {"kind": "cosine"},
        "train": {"max_steps": 10, "sequence_length": 8, "global_batch_size": 4},
    }


def recipe_of(values, **sections):
    changed = {name: {**values.get(name, {}), **fields} for name, fields in sections.items()}
    return Recipe.from_values(values | changed)


def codes(problems):
    return [problem.code for problem in problems]


def test_a_plan_counts_what_the_recipe_decides(values, storage):
    made = plan(recipe_of(values), storage)
    assert (made.steps, made.tokens_per_step, made.tokens) == (10, 32, 320)
    assert made.vocab_size == 9 + 2  # the characters, <unk> and <|endoftext|>
    assert made.flops == recipe_of(values).model.flops_per_token(11, 8) * 320


def test_what_cannot_be_known_is_absent(values, storage):
    Path(values["data"]["sources"][0]["path"]).unlink()
    made = plan(recipe_of(values, train={"max_steps": None, "epochs": 2}), storage).to_json()
    assert not {"steps", "tokens", "parameters", "memory_bytes", "seconds", "epochs"} & set(made)


def test_prepared_data_tells_epochs_and_steps(values, storage):
    recipe = recipe_of(values, train={"max_steps": None, "epochs": 2})
    prepared = prepare(recipe.data, recipe.tokenizer, storage)
    made = plan(recipe, storage)
    assert made.train_tokens == prepared.index.splits["train"].num_tokens
    assert made.steps == recipe.train.num_steps(made.train_rows)
    assert made.epochs == pytest.approx(2, rel=0.01)


def test_the_estimate_of_parameters_is_the_models_own(values, storage):
    recipe = recipe_of(values)
    model = recipe.model.build(Vocabulary(11), 8)
    assert plan(recipe, storage).parameters == sum(weights.numel() for weights in model.parameters())


def test_fsdp_shares_the_weights_among_the_workers(values, storage):
    large = {"hidden_size": 1024, "num_layers": 8}
    one, four = (
        plan(recipe_of(values, model=large, scaling={"num_workers": workers, "strategy": "fsdp"}), storage)
        for workers in (1, 4)
    )
    assert four.memory_bytes < one.memory_bytes / 2
    assert four.checkpoint_bytes == one.checkpoint_bytes


def past_run(recipe, storage, tokens_per_second):
    run = Run.create(storage, f"past-{tokens_per_second}", {"cpu_count": os.cpu_count()})
    run.claim_launch(recipe.to_yaml(), how="here")
    run.folder.write("model/config.json", b'{"vocab_size": 11}')
    writer = MetricsWriter(run, 1)
    for step in range(1, 20):
        writer.append(StepRecord(step, 1, step, 0.0, {"throughput/tokens_per_second": tokens_per_second}))
    writer.close()


def test_time_comes_from_a_similar_past_run_and_names_it(values, storage):
    recipe = recipe_of(values)
    assert plan(recipe, storage).seconds is None
    past_run(recipe, storage, 100.0)
    made = plan(recipe, storage)
    assert made.seconds == pytest.approx(320 / 100)
    assert made.seconds_from == "past-100.0"


def test_a_precision_that_is_left_open_takes_the_time_of_any(values, storage):
    past_run(recipe_of(values, train={"precision": "bfloat16"}), storage, 100.0)
    assert plan(recipe_of(values, train={"precision": "auto"}), storage).seconds == pytest.approx(320 / 100)


@pytest.mark.parametrize(
    "other",
    [{"scaling": {"num_workers": 2}}, {"model": {"hidden_size": 512}}, {"train": {"precision": "bfloat16"}}],
)
def test_a_run_of_another_kind_tells_no_time(values, storage, other):
    past_run(recipe_of(values, **other), storage, 100.0)
    assert plan(recipe_of(values), storage).seconds is None


def test_a_recipe_that_can_run_has_no_problems(values, storage):
    assert preflight(recipe_of(values), storage, [NODE]) == []
    assert preflight(recipe_of(values, scaling={"num_workers": 0}), storage) == []


def test_workers_that_do_not_fit_are_refused_here_and_on_a_cluster(values, storage):
    recipe = recipe_of(values, scaling={"num_workers": 1024}, train={"global_batch_size": 1024})
    assert codes(preflight(recipe, storage)) == ["placement"]
    assert codes(preflight(recipe, storage, [NODE])) == ["placement"]


@pytest.mark.parametrize("variable", ["address", "RAY_ADDRESS"])
def test_a_cluster_that_is_asked_later_is_not_judged_by_this_machine(values, storage, monkeypatch, variable):
    scaling = {"num_workers": 1024}
    if variable == "address":
        scaling["address"] = "http://127.0.0.1:1"
    else:
        monkeypatch.setenv(variable, "127.0.0.1:1")
    recipe = recipe_of(values, scaling=scaling, train={"global_batch_size": 1024})
    assert preflight(recipe, storage) == []


def test_a_model_larger_than_the_memory_says_both_sizes(values, storage):
    recipe = recipe_of(values, model={"hidden_size": 4096, "num_layers": 4})
    problem = next(each for each in preflight(recipe, storage, [NODE]) if each.code == "memory")
    assert "GB a worker, one has 8.0 GB" in problem.message


def test_checkpoints_larger_than_the_disk_are_refused(values, storage):
    checkpoint = {"keep_last": 10**6, "every_steps": 1}
    recipe = recipe_of(values, model={"hidden_size": 128}, checkpoint=checkpoint, train={"max_steps": 10**9})
    assert codes(preflight(recipe, storage, [NODE])) == ["storage_full"]


def test_only_checkpoints_that_the_run_can_make_need_room(values, storage):
    recipe = recipe_of(values, model={"hidden_size": 128}, checkpoint={"keep_last": 10**6})
    assert preflight(recipe, storage, [NODE]) == []


def test_a_storage_that_is_a_file_is_refused(values, tmp_path):
    (tmp_path / "file").write_text("x")
    problems = preflight(recipe_of(values), str(tmp_path / "file"), [NODE])
    assert problems[0].field == "storage"
    assert "is a file" in problems[0].message


def test_this_machines_disk_is_refused_for_several_machines(values, storage, monkeypatch):
    nodes = [NODE, Node("b", 4, memory_bytes=8 * 10**9)]
    monkeypatch.setattr("raylm.planning.checks.is_local_disk", lambda _path: True)
    assert codes(preflight(recipe_of(values), storage, nodes)) == ["storage_local"]
    assert preflight(recipe_of(values), storage, [NODE, NODE]) == []


def test_texts_smaller_than_a_step_are_refused_once_that_is_known(values, storage):
    recipe = recipe_of(values, train={"global_batch_size": 1000})
    prepare(recipe.data, recipe.tokenizer, storage)
    assert codes(preflight(recipe, storage, [NODE])) == ["data_small"]


def test_a_package_that_an_adapter_lacks_is_told_before_it_is_used(values, storage, monkeypatch):
    recipe = Recipe.from_values(values).model_copy(update={"adapter": Lora()})
    monkeypatch.setattr("raylm.adapters.find_spec", lambda _: None)
    monkeypatch.setattr("raylm.planning.checks.plan", lambda *_: pytest.fail("a plan imports peft"))
    assert codes(preflight(recipe, storage)) == ["missing_package"]


def test_a_missing_text_is_named_with_its_field(values, storage):
    Path(values["data"]["sources"][0]["path"]).unlink()
    problem = preflight(recipe_of(values), storage, [NODE])[0]
    assert problem.field == "data.sources.0.path"
    assert "corpus.txt does not exist" in problem.message


def test_this_machine_has_cpus_and_memory():
    machine = this_machine()
    assert machine.cpus >= 1
    assert machine.memory_bytes > 10**8


def test_a_shared_filesystem_is_not_taken_for_a_local_disk(tmp_path, monkeypatch):
    mounts = "server:/x / nfs4 rw 0 0\n"
    monkeypatch.setattr("raylm.planning.machine._read", lambda _path: mounts)
    assert not is_local_disk(tmp_path)
    monkeypatch.setattr("raylm.planning.machine._read", lambda _path: mounts.replace("nfs4", "ext4"))
    assert is_local_disk(tmp_path)
