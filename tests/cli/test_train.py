"""A whole run from the command line: train, resume, generate, export; and the code each way of ending has."""

import json
import os
import signal
import subprocess
import sys

import pytest

from raylm.cli import main
from raylm.config import RunFailed
from raylm.engine.orders import OrderDesk
from raylm.engine.step import Stepper
from raylm.runs import commands
from raylm.runs.run import Run
from tests.tiny import tiny_recipe


def call(capsys, *arguments) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny_recipe(train={"max_steps": 10}).to_yaml())
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    """Return a run of ten steps, trained through the command line."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny.yaml").write_text(tiny_recipe(train={"max_steps": 10}).to_yaml())
    storage = str(folder / "runs")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(folder / "tiny.yaml"), "--run-id", "done", "--storage", storage])
    assert ended.value.code == 0
    return Run.open(storage, "done")


def test_a_finished_run_exits_0_and_says_where_it_lies_and_what_is_next(recipe, storage, capsys):
    code, out, err = call(capsys, "train", recipe, "--run-id", "a", "--storage", storage)
    assert code == 0
    assert err == "run a\n"  # nothing else, as this is no terminal
    lines = out.splitlines()
    assert lines[0] == "finished: reached step 10"
    assert "over the whole validation split" in lines[1]
    assert "tokens/s (median step)" in lines[2]
    assert lines[3] == f"the run lies in {storage}/a"
    assert [line.split()[:2] for line in lines[-3:]] == [
        ["raylm", "generate"],
        ["raylm", "checkpoints"],
        ["raylm", "runs"],
    ]


def test_json_is_all_that_stands_on_the_output(recipe, storage, capsys):
    code, out, err = call(capsys, "train", recipe, "--run-id", "a", "--storage", storage, "--json")
    summary = json.loads(out)
    assert (code, err) == (0, "run a\n")
    assert (summary["run_id"], summary["status"], summary["step"]) == ("a", "finished", 10)
    assert summary["eval/loss"] > 0
    assert summary["tokens_per_second"] > 0


def test_a_terminal_gets_a_progress_line(recipe, storage, capsys, monkeypatch):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _self: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    code, _, err = call(capsys, "train", recipe, "train.max_steps=20", "--run-id", "a", "--storage", storage)
    assert code == 0
    for part in ("training", "20/20", "loss ", "tok/s", "val ", "ETA"):
        assert part in err


def test_a_run_without_a_name_gets_one_from_the_recipe(recipe, storage, capsys):
    code, _, err = call(
        capsys, "train", recipe, "train.max_steps=2", "schedule.warmup_steps=0", "checkpoint.every_steps=2",
        "--storage", storage,
    )  # fmt: skip
    assert code == 0
    assert "-tiny-" in err


def test_a_run_that_fails_exits_1_with_reason_and_mend(recipe, storage, capsys, monkeypatch):
    def fail(_self, step, *_rest):
        raise RunFailed(f"step {step}: no", "try something else")

    monkeypatch.setattr(Stepper, "step", fail)
    code, out, err = call(capsys, "train", recipe, "--run-id", "a", "--storage", storage)
    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == ["step 1: no; try something else"]
    assert Run.open(storage, "a").status().status == "failed"


def test_a_run_that_is_stopped_exits_0(recipe, storage, capsys, monkeypatch):
    signals = OrderDesk.signals

    def stop_at_3(desk, step):
        if step == 3:
            commands.send(Run.open(storage, "a"), "stop")
            desk._inbox.look()
        return signals(desk, step)

    monkeypatch.setattr(OrderDesk, "signals", stop_at_3)
    code, out, _ = call(capsys, "train", recipe, "--run-id", "a", "--storage", storage, "--json")
    assert (code, json.loads(out)["status"], json.loads(out)["step"]) == (0, "stopped", 3)


@pytest.fixture
def python_s_own_handlers():
    """A shell starts a background process, such as these tests, with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_s_own_handlers")
def test_ctrl_c_exits_75_with_a_checkpoint_and_resume_finishes(recipe, storage, capsys, monkeypatch):
    signals = OrderDesk.signals

    def interrupt_at_3(desk, step):
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)
            desk._inbox.look()
        return signals(desk, step)

    with monkeypatch.context() as patch:
        patch.setattr(OrderDesk, "signals", interrupt_at_3)
        code, out, err = call(capsys, "train", recipe, "--run-id", "a", "--storage", storage)
    assert (code, err) == (75, "run a\n")
    assert out.startswith("preempted: preempted on request at step 3\n")
    assert Run.open(storage, "a").checkpoints.steps() == [3]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    code, out, _ = call(capsys, "runs", "resume", "a", "--storage", storage)
    assert (code, out) == (0, "a is finished at step 10: reached step 10\n")


def test_row_80_a_run_id_that_exists_is_refused_and_resume_named(trained, recipe, capsys):
    before = trained.header(), trained.launches()
    code, out, err = call(capsys, "train", recipe, "--run-id", "done", "--storage", trained.storage)
    assert (code, out) == (2, "")
    assert err == (
        f"run_id: run done exists in {trained.storage}; raylm runs resume done continues it; "
        "another --run-id starts a new one\n"
    )
    assert (trained.header(), trained.launches()) == before


def test_text_is_generated_from_a_run(trained, capsys):
    options = ["--storage", trained.storage, "--seed", "1", "--max-new-tokens", "12"]
    code, out, err = call(capsys, "generate", "done", "--prompt", "ROMEO:", *options)
    assert (code, err) == (0, "")
    assert out.startswith("ROMEO:")
    assert len(out) == len("ROMEO:") + 12 + 1
    _, as_json, _ = call(capsys, "generate", "done@last", "--prompt", "ROMEO:", *options, "--json")
    assert json.loads(as_json) == {"run_id": "done", "step": 10, "text": out[:-1]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["generate", "done@7"], "has no checkpoint '7'; there are: 5, 10"),
        (["generate", "dune"], "dune"),
        (["generate", "done", "--top-p", "0"], "--top-p"),
        (["generate", "done", "--temperature", "nan"], "--temperature"),
        (["generate", "done", "--max-new-tokens", "0"], "--max-new-tokens"),
        (["generate", "done", "--seed", "-9999999999999999999999"], "--seed"),
        (["checkpoints", "export", "done@7", "--to", "out"], "has no checkpoint '7'; there are: 5, 10"),
        (["checkpoints", "export", "done", "--to", "."], "--to: . is not empty"),
        (["checkpoints", "export", "done"], "--to"),
    ],
)
def test_what_cannot_be_generated_or_exported_is_refused(
    trained, tmp_path, monkeypatch, capsys, arguments, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").touch()
    code, _, err = call(capsys, *arguments, "--storage", trained.storage)
    assert code == 2
    assert says in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_is_exported(trained, tmp_path, capsys):
    where = ["--storage", trained.storage]
    code, out, _ = call(capsys, "checkpoints", "export", "done@5", "--to", tmp_path / "five", *where)
    assert (code, out) == (0, f"done@5 is in {tmp_path / 'five'}\n")
    code, out, _ = call(capsys, "checkpoints", "export", "done", "--to", tmp_path / "ten", *where, "--json")
    assert json.loads(out) == {"run_id": "done", "step": 10, "path": str(tmp_path / "ten")}
    assert (tmp_path / "ten" / "model.safetensors").is_file()


@pytest.mark.parametrize(("limit", "has_checkpoint"), [(100_000, False), (200_000, True)])
def test_a_disk_that_takes_no_more_ends_the_run_with_one_line(storage, tmp_path, limit, has_checkpoint):
    """The smaller limit stops the first checkpoint, the larger one the metrics a while later."""
    recipe = tmp_path / "tiny.yaml"
    small = {"model": {"num_layers": 1, "hidden_size": 16}, "train": {"max_steps": 3000}}
    recipe.write_text(tiny_recipe(**small, checkpoint={"every_steps": 200}).to_yaml())
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit},) * 2)"
    code = f"{limited}; from raylm.cli import main; main()"
    command = [sys.executable, "-c", code, "train", str(recipe), "--run-id", "full", "--storage", storage]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "raylm runs resume full" in done.stderr
    run = Run.open(storage, "full")
    assert run.status().status == "failed"
    assert run.status().reason in done.stderr
    found, passed_over = run.checkpoints.latest_good()
    assert (found is not None) == has_checkpoint
    assert not passed_over
