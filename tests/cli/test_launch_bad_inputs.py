"""Rows 69 to 84 of the bad inputs, at the commands that launch: refused in a line before anything starts."""

import shutil
import socket
import time
from collections import namedtuple
from pathlib import Path

import pytest

from raylm.api.launch import resume
from raylm.cli import main
from raylm.config import Node
from raylm.jobs.clusters import Cluster
from raylm.planning import preflight
from raylm.runs.lease import Lease
from raylm.runs.run import Run
from raylm.runs.shards import open_shard_writer
from tests.tiny import tiny_recipe

TWO_SMALL = [Node("left", 2, memory_bytes=10**10), Node("right", 2, memory_bytes=10**10)]
LONG_NAME = "x" * 65


class Launcher:
    """Runs launching commands and fails if one of them starts anything."""

    def __init__(self, storage: str, recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.storage = storage
        self.recipe = str(recipe)
        self._capsys = capsys

    def refused(self, command: str, *arguments: str, storage: str | None = None) -> str:
        """Return the one line that a refused command leaves."""
        before = self.runs()
        with pytest.raises(SystemExit) as ended:
            main([command, self.recipe, "--storage", storage or self.storage, *arguments])
        out, err = self._capsys.readouterr()
        assert (ended.value.code, out) == (2, ""), err
        assert "Traceback" not in err
        assert len(err.splitlines()) == 1, err
        assert self.runs() == before, "a run was made"
        return err.rstrip("\n")

    def runs(self) -> list[Path]:
        return sorted(Path(self.storage).glob("*/*"))


@pytest.fixture
def launcher(tmp_path, storage, capsys, monkeypatch) -> Launcher:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(tiny_recipe(scaling={"num_workers": 1}).to_yaml())
    monkeypatch.setattr("raylm.planning.checks.this_machine", lambda: Node("desk", 2, memory_bytes=10**10))
    for name in ("raylm.distributed.drive.drive", "raylm.jobs.ray_jobs.submit", "raylm.jobs.local.spawn"):
        monkeypatch.setattr(name, _must_not_start)
    return Launcher(storage, recipe, capsys)


def _must_not_start(*_args, **_options):
    raise AssertionError("something was started")


@pytest.fixture
def on_two_nodes(monkeypatch):
    """Let `submit` find a cluster of two nodes with two CPUs each, and storage that both see."""
    monkeypatch.setattr("raylm.planning.checks.is_local_disk", lambda _path: False)
    monkeypatch.setattr(
        "raylm.jobs.target.find_target", lambda *_, **__: Cluster("two", "http://127.0.0.1:1")
    )
    monkeypatch.setattr("raylm.jobs.nodes.list_nodes", lambda _dashboard: TWO_SMALL)


@pytest.fixture
def no_packets(monkeypatch):
    """Fail at the first connection or name lookup."""

    def refuse(*_args):
        raise AssertionError("something was sent")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


EIGHT = ("scaling.num_workers=8",)


def test_row_69_more_workers_than_cpus_say_what_fits(launcher):
    begun = time.monotonic()
    said = launcher.refused("train", *EIGHT)
    assert time.monotonic() - begun < 1
    assert said == (
        "scaling.num_workers: 8 workers x 1 CPU asked, the cluster has 2 CPUs on 1 node "
        "(largest: desk with 2 CPUs); use 2"
    )


@pytest.mark.usefixtures("on_two_nodes")
def test_row_69_a_cluster_is_asked_for_its_nodes(launcher):
    assert "has 4 CPUs on 2 nodes (largest: left with 2 CPUs); use 4" in launcher.refused("submit", *EIGHT)


@pytest.mark.parametrize("command", ["train", "submit"])
@pytest.mark.usefixtures("on_two_nodes")
def test_row_69_a_gpu_where_there_is_none(launcher, command):
    said = launcher.refused(command, "scaling.gpus_per_worker=1")
    assert said == ("scaling.gpus_per_worker: 1 asked, the cluster has no GPU; use scaling.gpus_per_worker=0")


@pytest.mark.usefixtures("on_two_nodes")
def test_row_70_a_worker_larger_than_any_node_names_the_largest(launcher):
    said = launcher.refused("submit", "scaling.cpus_per_worker=4")
    assert said.startswith(
        "scaling.cpus_per_worker: 1 worker x 4 CPUs asked, the cluster has 4 CPUs on 2 nodes"
    )
    assert "largest: left with 2 CPUs" in said


def test_row_71_workers_may_take_every_cpu_as_they_read_the_data_themselves(storage):
    recipe = tiny_recipe(scaling={"num_workers": 4})
    assert preflight(recipe, storage, [Node("desk", 4, memory_bytes=10**10)]) == []


@pytest.mark.parametrize("command", ["train", "submit"])
def test_row_72_a_batch_that_workers_cannot_share_names_three_numbers(launcher, command):
    said = launcher.refused(command, "train.global_batch_size=30", "scaling.num_workers=4")
    assert said.startswith("train.global_batch_size")
    assert "30 sequences cannot be shared equally among 4 workers" in said
    assert "4 or fewer (train.micro_batch_size) at a time; try 32" in said


@pytest.mark.parametrize(
    ("num_workers", "lines"),
    [(0, []), (1, []), (2, ["1 process(es) saved the checkpoint, 2 go on: losses agree "])],
)
@pytest.mark.usefixtures("launcher")
def test_row_73_another_number_of_workers_is_told_how_exact_it_is(storage, monkeypatch, num_workers, lines):
    run = Run.create(storage, "moved")
    Lease.acquire(run, run.claim_launch(tiny_recipe().to_yaml(), how="here")).release("stopped")
    with open_shard_writer(run.checkpoints.staging(5, "a1"), "rank-00000.distcp") as shard:
        shard.write(b"x")
    run.checkpoints.commit(5, [shard.entry], {"world_size": 1})
    driven, said = [], []
    monkeypatch.setattr("raylm.distributed.drive.drive", lambda _run, launch: driven.append(launch))
    resume(run, [f"scaling.num_workers={num_workers}"], notify=said.append)
    assert driven == [2]
    assert [line[: len(lines[0])] for line in said] == lines


@pytest.mark.parametrize(
    ("field", "value"),
    [("num_workers", "-1"), ("num_workers", "1.5"), ("num_workers", "1000000"), ("cpus_per_worker", "0")],
)
def test_row_74_a_number_of_workers_that_cannot_be(launcher, field, value):
    said = launcher.refused("train", f"scaling.{field}={value}")
    assert said.startswith(f"scaling.{field} (command line): must be ")
    assert said.endswith(f"got {value}; try 1")


def test_row_74_no_worker_is_no_job(launcher):
    said = launcher.refused("submit", "scaling.num_workers=0")
    assert said.startswith("scaling.num_workers: 0 trains in the process that starts it")
    assert said.endswith("set it to 1")


def test_row_75_a_storage_that_is_a_file(launcher, tmp_path):
    (tmp_path / "file").touch()
    said = launcher.refused("train", storage=str(tmp_path / "file"))
    assert said.startswith(f"storage: {tmp_path / 'file'}")
    assert "is a file" in said


def test_row_75_a_storage_that_is_read_only(launcher):
    said = launcher.refused("train", storage="/proc/raylm")
    assert said.startswith("storage: /proc/raylm ")
    assert said.endswith("choose another with --storage URI")


def test_row_76_a_storage_that_is_nearly_full_says_both_numbers(launcher, monkeypatch):
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 1000))
    said = launcher.refused("train")
    assert said.startswith("storage: ")
    assert "has 0.0 GB free, the checkpoints need" in said
    assert said.endswith("free some, or lower checkpoint.keep_last")


@pytest.mark.parametrize("uri", ["nowhere://bucket/runs", "s3://no-such-bucket/runs"])
@pytest.mark.usefixtures("no_packets")
def test_row_77_a_store_that_cannot_be_reached(launcher, uri):
    assert launcher.refused("train", storage=uri).startswith("storage: ")


@pytest.mark.usefixtures("on_two_nodes")
def test_row_78_a_folder_of_this_machine_for_two_machines(launcher, monkeypatch):
    monkeypatch.setattr("raylm.planning.checks.is_local_disk", lambda _path: True)
    said = launcher.refused("submit", "scaling.num_workers=4")
    assert said == (
        f"storage: {launcher.storage} is on this machine's disk, workers may run on 2 nodes; "
        "name a folder that all nodes share, or s3://..."
    )


@pytest.mark.parametrize("command", ["train", "submit"])
@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a b", LONG_NAME, "rün", "🙂", "a\0b", "CON", "nul.txt", "dot.", ".hidden", "-x", ""],
)
def test_row_79_a_run_name_that_no_folder_should_have(launcher, command, name):
    said = launcher.refused(command, f"--run-id={name}")
    assert said.startswith("run_id: ")


@pytest.mark.parametrize("command", ["train", "submit"])
def test_row_80_a_run_that_exists_is_not_started_again(launcher, command, storage):
    Run.create(storage, "there")
    said = launcher.refused(command, "--run-id", "there")
    assert said.startswith(f"run_id: run there exists in {storage}; raylm runs resume there continues it")


def test_row_81_a_live_run_has_no_second_driver(storage, capsys):
    run = Run.create(storage, "live")
    lease = Lease.acquire(run, run.claim_launch(tiny_recipe().to_yaml(), how="here"))
    for arguments in (["drive", run.uri, "1"], ["runs", "resume", "live", "--storage", storage]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert f"pid {run.status().owner['pid']}" in said
        assert len(said.splitlines()) == 1
    assert run.status().status == "running"
    lease.release("stopped")


@pytest.mark.parametrize("command", ["train", "submit"])
def test_row_82_an_address_where_nobody_answers(launcher, free_port, command):
    scheme = "http://" if command == "submit" else ""
    begun = time.monotonic()
    said = launcher.refused(command, f"scaling.address={scheme}127.0.0.1:{free_port}")
    assert time.monotonic() - begun < 5
    assert f"cannot reach {scheme}127.0.0.1:{free_port}" in said
    assert "is the cluster up?" in said
    assert "raylm cluster status" in said


@pytest.mark.parametrize(
    ("command", "address", "says"),
    [
        ("submit", "notaurl", "notaurl"),
        ("submit", "ray://127.0.0.1:10001", "is not the URL of a Ray dashboard"),
        ("submit", "127.0.0.1:6379", "is not the URL of a Ray dashboard"),
        ("train", "notaurl", "is not the address of a Ray head"),
        ("train", "127.0.0.1:port", "is not the address of a Ray head"),
        ("train", "127.0.0.1:99999", "is not the address of a Ray head"),
        ("train", "http://127.0.0.1:8265", "raylm submit"),
    ],
)
@pytest.mark.usefixtures("no_packets")
def test_row_83_an_address_that_is_none(launcher, command, address, says):
    said = launcher.refused(command, f"scaling.address={address}")
    assert "address: " in said
    assert says in said


@pytest.mark.parametrize(
    ("command", "address"),
    [
        ("submit", "http://169.254.169.254"),
        ("submit", "http://stranger.example.org:8265"),
        ("train", "169.254.169.254:80"),
        ("train", "stranger.example.org:6379"),
        ("train", "127.0.0.1.example.org:6379"),
    ],
)
@pytest.mark.usefixtures("no_packets")
def test_row_84_a_stranger_gets_no_packet(launcher, command, address):
    said = launcher.refused(command, f"scaling.address={address}")
    assert "is not in your cluster list; add it if you trust it: raylm cluster add" in said
