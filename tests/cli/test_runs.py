import json
from pathlib import Path

import pytest

from raylm.cli import main
from raylm.runs import Folder, Lease, Run, fork, open_shard_writer


@pytest.fixture
def cli(capsys):
    """Return a function that runs a command and gives (exit code, standard output, standard error)."""

    def cli(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return cli


@pytest.fixture
def run(storage):
    run = Run.create(storage, "20260101-000000-small-0a0a", {"name": "small"})
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    run.emit("driver", "started", world_size=1)
    for step in (10, 20):
        with open_shard_writer(run.checkpoints.staging(step, "t"), "shard.bin") as shard:
            shard.write(b"x" * step)
        run.checkpoints.commit(step, [shard.entry], {"tokens_seen": step, "metrics": {"eval/loss": 1 / step}})
    run.folder.write("logs/driver.log", b"first\nsecond \x1b[31mred\x1b[0m\n")
    lease.release("finished", "max_steps reached", step=20, max_steps=20)
    return run


def test_list_prints_one_line_a_run_or_json(cli, run, storage):
    code, out, _ = cli("runs", "list", "--storage", storage)
    assert code == 0
    assert out.split("\t")[:4] == [run.run_id, "finished", "20", "20"]
    code, out, _ = cli("runs", "list", "--storage", storage, "--json")
    [row] = json.loads(out)
    assert (row["run_id"], row["status"], row["step"], row["reason"]) == (
        run.run_id,
        "finished",
        20,
        "max_steps reached",
    )


def test_list_without_runs_says_how_to_start_one(cli, storage):
    Path(storage).mkdir()
    code, out, err = cli("runs", "list", "--storage", storage)
    assert (code, out) == (0, "")
    assert "raylm init" in err
    assert cli("runs", "list", "--storage", storage, "--json")[1] == "[]\n"


def test_list_refuses_a_storage_that_is_not_there(cli, storage, tmp_path, monkeypatch):
    said = f"--storage: {storage} does not exist\n"
    assert cli("runs", "list", "--storage", storage) == (2, "", said)
    assert cli("runs", "show", "small", "--storage", storage) == (2, "", said)
    Path(storage).write_text("x")
    assert cli("runs", "list", "--storage", storage) == (
        2,
        "",
        f"--storage: {storage} is a file, not a folder\n",
    )
    monkeypatch.setenv("RAYLM_STORAGE", str(tmp_path / "made-by-the-first-run"))
    assert cli("runs", "list")[0] == 0


def test_list_goes_on_over_a_damaged_run(cli, run, storage):
    Folder.open(storage).write("20260102-000000-torn-0000/run.json", b"{")
    code, out, _ = cli("runs", "list", "--storage", storage, "--json")
    assert code == 0
    assert [row["status"] for row in json.loads(out)] == ["lost", "finished"]


def test_list_prints_no_more_than_asked(cli, run, storage):
    fork(run)
    _, out, _ = cli("runs", "list", "--storage", storage, "--limit", "1", "--json")
    assert len(json.loads(out)) == 1
    _, out, err = cli("runs", "list", "--storage", storage, "--limit", "1")
    assert len(out.splitlines()) == 1
    assert "1 older" in err


def test_show_has_status_step_and_reason(cli, run, storage):
    code, out, _ = cli("runs", "show", "small", "--storage", storage, "--json")
    values = json.loads(out)
    assert code == 0
    assert (values["status"], values["step"], values["reason"]) == ("finished", 20, "max_steps reached")
    assert [one["step"] for one in values["checkpoints"]] == [10, 20]
    assert [one["event"] for one in values["events"]] == ["started"]
    assert values["launches"][0]["how"] == "here"
    code, out, _ = cli("runs", "show", "small", "--storage", storage)
    assert code == 0
    assert "finished" in out
    assert "world_size=1" in out


def test_show_of_an_unknown_run_is_one_line_and_exit_2(cli, run, storage):
    code, out, err = cli("runs", "show", "smal", "--storage", storage)
    assert (code, out) == (2, "")
    assert err == "run: no run answers to 'smal'; did you mean small?\n"


def test_logs_are_printed_without_terminal_control(cli, run, storage):
    code, out, _ = cli("runs", "logs", "small", "--storage", storage)
    assert (code, out) == (0, "first\nsecond red\n")
    assert cli("runs", "logs", "small", "driver.log", "--follow", "--storage", storage)[1] == out
    code, _, err = cli("runs", "logs", "small", "worker.log", "--storage", storage)
    assert code == 2
    assert "logs: driver.log" in err


def test_fork_prints_the_new_id_and_the_next_command(cli, run, storage):
    code, out, err = cli("runs", "fork", "small@10", "--run-id", "child", "--storage", storage)
    assert (code, out) == (0, "child\n")
    assert "raylm runs resume child" in err
    assert Run.open(storage, "child").header()["parent"]["step"] == 10
    code, out, _ = cli("runs", "fork", "small", "--json", "--storage", storage)
    assert json.loads(out)["parent"]["step"] == 20


def test_delete_asks_and_names_children(cli, run, storage):
    cli("runs", "fork", "small", "--run-id", "child", "--storage", storage)
    code, _, err = cli("runs", "delete", "small", "--storage", storage)
    assert code == 2
    assert "--yes" in err
    code, _, err = cli("runs", "delete", "small", "--yes", "--storage", storage)
    assert code == 2
    assert "child" in err
    assert cli("runs", "delete", "child", "--yes", "--storage", storage)[0] == 0
    assert cli("runs", "delete", "small", "--yes", "--storage", storage)[0] == 0
    assert cli("runs", "list", "--storage", storage, "--json")[1] == "[]\n"


def test_delete_of_a_checkpoint_is_another_command(cli, run, storage):
    code, _, err = cli("runs", "delete", "small@10", "--yes", "--storage", storage)
    assert code == 2
    assert "checkpoints delete" in err
    code, _, err = cli("checkpoints", "delete", "small", "--yes", "--storage", storage)
    assert code == 2
    assert "@STEP" in err


def test_checkpoints_are_listed_verified_and_deleted(cli, run, storage):
    code, out, _ = cli("checkpoints", "list", "small", "--storage", storage, "--json")
    assert [(one["step"], one["state"], one["bytes"]) for one in json.loads(out)] == [
        (10, "unverified", 10),
        (20, "unverified", 20),
    ]
    code, out, _ = cli("checkpoints", "verify", "small@20", "--storage", storage)
    assert code == 0
    assert out.split("\t")[:3] == ["20", "good", "20 B"]
    run.checkpoints.open(20).write("shard.bin", b"y" * 20)
    code, out, err = cli("checkpoints", "verify", "small", "--storage", storage)
    assert code == 1
    assert "shard.bin: its checksum differs" in out
    assert err == "1 of 2 checkpoints are bad; resume uses the newest good one\n"
    assert cli("checkpoints", "delete", "small@20", "--yes", "--storage", storage)[0] == 0
    code, _, err = cli("checkpoints", "delete", "small@10", "--yes", "--storage", storage)
    assert code == 2
    assert "last good" in err


@pytest.mark.parametrize("reference", ["../../x", "small@../../x", "small@99", "", "@", "sm\x1b[31mall"])
def test_odd_references_are_one_clean_line(cli, run, storage, reference):
    for command in (("runs", "show"), ("checkpoints", "verify"), ("runs", "fork")):
        code, out, err = cli(*command, reference, "--storage", storage)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert "\x1b" not in err


def test_a_table_on_a_terminal_takes_no_markup_from_a_name(run, storage, monkeypatch, capsys):
    from rich.console import Console

    from raylm.cli import tables

    monkeypatch.setattr(tables.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(tables, "Console", lambda: Console(width=200, color_system=None))
    tables.print_table(["run", "status"], [["[red]x[/red]\x1b]8;;http://x\x07", "lost"]])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b" not in out
