"""What `init`, `task` and `adapter` of a recipe bring along, and which mistakes are told at once."""

import json
from typing import Any, cast

import pytest

from raylm.config.errors import BadInput, RunFailed
from raylm.engine.export import export
from raylm.engine.step import Loads, Stepper
from raylm.planning import plan, preflight
from raylm.recipe import Recipe
from raylm.runs.read import curve
from tests.families import family_recipe
from tests.tiny import train_alone
from tests.tiny_tasks import TASKS, task_recipe


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    storage = str(tmp_path_factory.mktemp("parents"))
    return train_alone(
        family_recipe("bert", train={"max_steps": 10, "sequence_length": 48}), storage, "parent"
    )


def problems_of(task, folder, **changes):
    with pytest.raises(BadInput) as caught:
        task_recipe(task, folder, **changes)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("task", TASKS)
def test_a_recipe_with_a_task_reads_back_to_itself(task, tmp_path):
    recipe = task_recipe(task, tmp_path)
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert recipe.data.split_by == "document"


def test_a_run_brings_its_model_and_its_tokenizer_along(tmp_path, parent, monkeypatch):
    monkeypatch.setenv("RAYLM_STORAGE", parent.storage)
    recipe = task_recipe("sequence_classification", tmp_path, init={"from": "parent"})
    assert getattr(recipe.init, "from") == f"{parent.uri}@10"
    assert recipe.model.path == f"{parent.uri}/model"
    assert recipe.tokenizer.path == f"{parent.uri}/tokenizer"
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


def test_the_storage_of_a_command_is_where_the_run_is_looked_for(tmp_path, parent, monkeypatch):
    monkeypatch.setenv("RAYLM_STORAGE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = task_recipe("sequence_classification", tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe.to_yaml())
    start = ("init.from=parent", "model=null", "tokenizer=null")
    with pytest.raises(BadInput, match="no run answers to 'parent'"):
        Recipe.load(path, start)
    assert getattr(Recipe.load(path, start, parent.storage).init, "from") == f"{parent.uri}@10"


def test_a_recipe_is_read_again_when_what_it_stood_on_is_gone(tmp_path):
    storage = str(tmp_path / "runs")
    gone = train_alone(family_recipe("bert", train={"max_steps": 5, "sequence_length": 48}), storage, "gone")
    text = task_recipe("sequence_classification", tmp_path, init={"from": f"{gone.uri}@5"}).to_yaml()
    gone.folder.remove_tree()
    recipe = Recipe.from_yaml(text)
    assert recipe.init.run is not None
    assert any(problem.field == "init.from" for problem in preflight(recipe, storage))


def test_a_model_of_its_own_beside_init_is_refused(tmp_path, parent):
    (problem,) = problems_of(
        "sequence_classification", tmp_path, init={"from": f"{parent.uri}@10"}, model={"kind": "gpt2"}
    )
    assert problem == "model: comes from init.from with the weights; leave the section out, or set model=null"


def test_a_task_on_a_model_that_cannot_learn_it_names_what_fits(tmp_path):
    (problem,) = problems_of("translation", tmp_path, model={"kind": "bert"}, tokenizer={"kind": "wordpiece"})
    assert problem.startswith("task.kind: translation does not fit the model bert; bert takes ")
    assert "question_answering, sequence_classification, token_classification" in problem
    assert problem.endswith("translation takes gpt2, llama, pretrained, t5")


def test_an_objective_of_texts_does_not_learn_a_task(tmp_path):
    (problem,) = problems_of("sequence_classification", tmp_path, objective={"kind": "masked"})
    assert problem.startswith("objective.kind: masked does not learn sequence_classification")


def test_an_objective_of_tasks_wants_one():
    with pytest.raises(BadInput, match="supervised learns the rows of a task; give a task; raylm has chat"):
        family_recipe("gpt2", objective={"kind": "supervised"})


def test_an_adapter_wants_weights_to_stand_on(tmp_path):
    (problem,) = problems_of("sequence_classification", tmp_path, adapter={"kind": "lora"})
    assert problem.startswith("adapter.kind: lora adapts a model that has learned something")


def test_qlora_says_that_it_needs_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)  # also where there is one
    first = train_alone(
        family_recipe("llama", train={"max_steps": 5, "sequence_length": 48}), str(tmp_path / "runs"), "first"
    )
    export(first, None, tmp_path / "model")
    recipe = task_recipe("chat", tmp_path, init={"from": str(tmp_path / "model")}, adapter={"kind": "qlora"})
    messages = [str(problem) for problem in preflight(recipe, str(tmp_path / "runs"))]
    assert any("needs a CUDA GPU" in message and "use lora" in message for message in messages)


def test_qlora_says_what_it_does_not_go_with(tmp_path, parent):
    found = problems_of(
        "sequence_classification",
        tmp_path,
        init={"from": f"{parent.uri}@10"},
        adapter={"kind": "qlora"},
        scaling={"strategy": "fsdp"},
    )
    assert [each.partition(":")[0] for each in found] == ["init.from", "adapter.kind", "scaling.strategy"]
    assert "raylm checkpoints export" in found[0]


def test_a_plan_counts_what_is_trained(tmp_path, parent):
    init = {"from": f"{parent.uri}@10"}
    whole = plan(task_recipe("sequence_classification", tmp_path, init=init))
    lora = plan(
        task_recipe("sequence_classification", tmp_path, init=init, adapter={"kind": "lora", "rank": 2})
    )
    assert whole.trained_parameters is None
    layer = 4 * 2 * (32 + 32) + 2 * 2 * (32 + 128)  # query, key, value, output; up and down
    pooler, classifier = 2 * (32 + 32), 2 * 32 + 2  # next sentences taught the pooler; the classifier is new
    assert lora.trained_parameters == layer + pooler + classifier
    assert lora.memory_bytes < whole.memory_bytes
    assert lora.checkpoint_bytes == 12 * lora.trained_parameters


def test_patience_wants_evaluations_and_a_metric_that_is_computed(tmp_path):
    first = problems_of("sequence_classification", tmp_path, evaluate={"patience": 2})
    assert first == [
        "evaluate.patience: compares eval/loss, which is computed at the end only; give evaluate.every_steps"
    ]
    evaluate = {"patience": 2, "every_steps": 5, "metric": "eval/f1"}
    second = problems_of("sequence_classification", tmp_path, evaluate=evaluate)
    assert second[0].startswith("evaluate.metric: eval/f1 is not computed")
    assert second[0].endswith("there are eval/loss, eval/accuracy")


def test_positions_split_no_rows_and_streams_pack_none(tmp_path):
    data = {"split_by": "position", "packing": "stream"}
    fields = {each.partition(":")[0] for each in problems_of("chat", tmp_path, data=data)}
    assert fields == {"data.split_by", "data.packing"}


def test_an_adapter_alone_is_no_start(tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "somewhere"}))
    (problem,) = problems_of("sequence_classification", tmp_path, init={"from": str(folder)})
    assert problem == f"init.from: {folder} is an adapter alone; merge it into its model first (somewhere)"


def test_an_unknown_run_is_the_only_thing_told(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYLM_STORAGE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (problem,) = problems_of("sequence_classification", tmp_path, init={"from": "nobody"})
    assert problem.startswith("init.from: no run answers to 'nobody'")


def test_a_single_class_is_nothing_to_tell_apart(storage, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"a text {n}", "label": "x"}) + "\n" for n in range(30)))
    recipe = task_recipe(
        "sequence_classification", tmp_path, data={"sources": [{"kind": "jsonl", "path": str(path)}]}
    )
    with pytest.raises(BadInput, match="every training row has the label 'x'"):
        train_alone(recipe, storage, "run")


def test_a_label_that_training_never_saw_is_named_with_its_place(storage, tmp_path):
    for split, labels in (("train", "xy"), ("validation", "xyz")):
        rows = [{"text": f"{split} text {n}", "label": labels[n % len(labels)]} for n in range(30)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sources = [
        {"kind": "jsonl", "path": str(tmp_path / f"{split}.jsonl"), "split": split}
        for split in ("train", "validation")
    ]
    recipe = task_recipe("sequence_classification", tmp_path, data={"sources": sources, "test_share": 0.0})
    with pytest.raises(BadInput, match=r"validation.jsonl:3\): label z: the model has 2 classes \(x, y\)"):
        train_alone(recipe, storage, "run")


def long_rows(folder, task, row):
    """Return the recipe of a task whose rows have more words than a sequence before their answer."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row(f"{n} " + "word " * 100)) + "\n" for n in range(40)))
    return task_recipe(task, folder, data={"sources": [{"kind": "jsonl", "path": str(path)}]})


def test_an_answer_behind_a_prompt_longer_than_a_row_is_learned(storage, tmp_path):
    recipe = long_rows(tmp_path, "grammar_correction", lambda text: {"source": text, "target": "answer"})
    assert recipe.lesson is not None
    assert recipe.lesson.row_length == recipe.train.sequence_length
    run = train_alone(recipe, storage, "run")
    losses = [value for _, value in curve(run, "train/loss")]
    assert losses[-1] < losses[0]


def test_conversations_that_are_all_cut_off_before_their_answers_are_refused(storage, tmp_path):
    turns = [{"role": "user"}, {"role": "assistant", "content": "yes"}]
    recipe = long_rows(tmp_path, "chat", lambda text: {"messages": [{**turns[0], "content": text}, turns[1]]})
    with pytest.raises(BadInput, match=r"train\.sequence_length: all .* rows of the train split are cut off"):
        train_alone(recipe, storage, "run")


@pytest.mark.parametrize("change", [{"long_documents": "split"}, {"long_documents": "drop"}])
def test_rows_that_are_not_cut_off_are_prepared_whole(tmp_path, change):
    lesson = task_recipe("chat", tmp_path, data=change).lesson
    assert lesson is not None
    assert lesson.row_length is None


def test_a_batch_in_which_nothing_is_learned_is_refused():
    stepper = Stepper(*[cast("Any", None)] * 4, max_grad_norm=1.0, seed=0)
    with pytest.raises(RunFailed, match="0 trainable tokens in the batch; rows are cut off"):
        stepper.step(1, [], Loads({"loss": 0}, 0, []), 1e-3)
