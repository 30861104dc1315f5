import json
import re
import subprocess
import sys
import time

import pytest

from raylm.cli import main


def run(capsys, *arguments):
    """Return (exit code, output, error output) of one command."""
    try:
        main(arguments)
        code = 0
    except SystemExit as exit_:
        code = exit_.code or 0
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_list_is_edited_from_the_command_line(capsys):
    assert run(capsys, "cluster", "add", "desk", "http://127.0.0.1:8265/")[0] == 0
    _, output, _ = run(capsys, "cluster", "list", "--json")
    assert json.loads(output) == [{"name": "desk", "address": "http://127.0.0.1:8265", "storage": None}]
    assert run(capsys, "cluster", "remove", "desk")[0] == 0
    assert "none; start one" in run(capsys, "cluster", "list")[1]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("notaurl", "not the URL of a Ray dashboard"),
        ("ray://127.0.0.1:10001", "not the URL of a Ray dashboard"),
    ],
)
def test_what_is_no_url_is_refused_in_one_line(capsys, address, message):
    code, _, error = run(capsys, "cluster", "add", "desk", address)
    assert (code, error.count("\n")) == (2, 1)
    assert message in error


@pytest.mark.parametrize("address", ["http://169.254.169.254", "http://stranger.example.org:8265"])
def test_a_stranger_is_refused_in_one_line(capsys, address):
    code, _, error = run(capsys, "cluster", "status", address)
    assert (code, error.count("\n")) == (2, 1)
    assert "not in your cluster list; add it if you trust it: raylm cluster add" in error


def test_a_closed_port_is_known_within_five_seconds_of_the_command(free_port):
    started = time.monotonic()
    command = [sys.executable, "-m", "raylm", "cluster", "status", f"http://127.0.0.1:{free_port}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert time.monotonic() - started < 5
    assert done.returncode == 2
    assert re.fullmatch(rf"address: cannot reach http://127\.0\.0\.1:{free_port} .*\n", done.stderr)
    assert "is the cluster up? see: raylm cluster status" in done.stderr


def test_without_a_cluster_status_and_stop_say_so(capsys):
    code, output, _ = run(capsys, "cluster", "status")
    assert code == 0
    assert "start one: raylm cluster start" in output
    assert run(capsys, "cluster", "stop") == (0, "no cluster of yours ran\n", "")


@pytest.mark.ray
def test_status_shows_what_a_cluster_has(capsys, owned_cluster):
    _, output, _ = run(capsys, "cluster", "status", "--json")
    status = json.loads(output)
    assert status["is_running"]
    assert status["address"] == owned_cluster.address
    assert [node["cpus"] for node in status["nodes"]] == [4]
    _, output, _ = run(capsys, "cluster", "start")
    assert "runs already" in output


@pytest.mark.ray
def test_a_cluster_in_use_is_not_stopped(capsys, owned_cluster):
    from raylm.jobs.detached import is_alive
    from raylm.jobs.ray_jobs import stop_job, submit_entrypoint

    submit_entrypoint(owned_cluster.cluster(), "busy", "sleep 60", {})
    code, _, error = run(capsys, "cluster", "stop")
    assert code == 2
    assert "jobs run on it: busy; stop those runs first" in error
    assert is_alive(owned_cluster.process())
    stop_job("busy")
