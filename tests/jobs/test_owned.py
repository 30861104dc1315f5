"""A real Ray cluster, started as a person would; all tests share it."""

import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from raylm.config.errors import BadInput
from raylm.jobs.detached import is_alive
from raylm.jobs.http import Dashboard
from raylm.jobs.nodes import list_nodes
from raylm.jobs.owned import find_owned, start_owned, stop_owned
from raylm.jobs.ray_head import HeadOptions
from raylm.jobs.ray_jobs import job_logs, job_status, running_jobs, stop_job, submit_entrypoint
from raylm.jobs.target import find_target

pytestmark = pytest.mark.ray


def python(code):
    return f'{sys.executable} -c "{code}"'


def wait_for_end(job_id, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = job_status(job_id)
        if status is not None and status.has_ended:
            return status.status
        time.sleep(0.05)
    pytest.fail(f"{job_id} did not end: {job_logs(job_id)}")


def family(owned):
    head = psutil.Process(owned.pid)
    return [head, *head.children(recursive=True)]


def lives(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_starting_again_returns_the_running_cluster(owned_cluster):
    assert start_owned() == (owned_cluster, False)
    assert (
        find_target() == owned_cluster.cluster() == find_target("owned") == find_target(owned_cluster.address)
    )


def test_it_offers_the_cpus_that_were_asked_for(owned_cluster):
    (node,) = list_nodes(owned_cluster.cluster().dashboard())
    assert (node.cpus, node.gpus) == (4, 0)
    assert node.memory_bytes > 1e8


def test_it_listens_on_this_machine_only(owned_cluster):
    listening = []
    for process in family(owned_cluster):
        with suppress(psutil.NoSuchProcess):  # Ray's own come and go
            found = process.net_connections("inet")
            listening += [each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN]
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_its_folder_and_token_are_private(owned_cluster):
    token = Path(owned_cluster.token_path)
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    # Ray opens its own folder, with the jobs' logs, to everyone; the folder around it keeps others out.
    assert stat.S_IMODE(Path(owned_cluster.temp_path).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_its_token_nobody_gets_in(owned_cluster, token):
    with pytest.raises(BadInput, match="token"):
        Dashboard(owned_cluster.address, token).get("/api/jobs/")


def test_a_job_runs_with_this_raylm_and_its_environment(owned_cluster):
    code = "import os, raylm; print(raylm.__file__, os.environ['RAYLM_STORAGE'])"
    assert submit_entrypoint(owned_cluster.cluster(), "import", python(code), {"RAYLM_STORAGE": "/somewhere"})
    assert wait_for_end("import") == "SUCCEEDED"
    import raylm

    assert f"{raylm.__file__} /somewhere" in job_logs("import")


def test_a_second_submit_of_an_id_starts_nothing(owned_cluster, tmp_path):
    code = f"open('{tmp_path}/started', 'a').write('x')"
    started = [submit_entrypoint(owned_cluster.cluster(), "twice", python(code), {}) for _ in range(3)]
    assert started == [True, False, False]
    assert wait_for_end("twice") == "SUCCEEDED"
    assert (tmp_path / "started").read_text() == "x"


def test_a_stopped_job_may_save_first(owned_cluster, tmp_path):
    code = (
        "import signal, sys, time, pathlib;"
        f"save = lambda *_: (time.sleep(4), pathlib.Path('{tmp_path}/saved').touch(), sys.exit(0));"
        f"signal.signal(signal.SIGTERM, save); pathlib.Path('{tmp_path}/ready').touch(); time.sleep(60)"
    )
    cluster = owned_cluster.cluster()
    submit_entrypoint(cluster, "slow", python(code), {"RAY_JOB_STOP_WAIT_TIME_S": "30"})
    while not (tmp_path / "ready").exists():
        time.sleep(0.05)
    assert running_jobs(cluster) == ["slow"]
    assert stop_job("slow")
    assert wait_for_end("slow") == "STOPPED"
    assert (tmp_path / "saved").exists()


def test_two_clusters_live_on_one_host_and_each_ends_alone(owned_cluster, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find_owned() is None
    second, is_new = start_owned(HeadOptions(num_cpus=1))
    processes = family(second)
    try:
        assert is_new
        assert second.address != owned_cluster.address
        assert submit_entrypoint(second.cluster(), "here", python("print(1)"), {})
        assert wait_for_end("here") == "SUCCEEDED"
    finally:
        assert stop_owned() == second
    assert not [process for process in processes if lives(process)]
    assert not Path(second.temp_path).exists()
    assert not Path(second.token_path).exists()
    assert stop_owned() is None
    assert is_alive(owned_cluster.process())
    assert list_nodes(owned_cluster.cluster().dashboard())


def test_a_start_that_fails_says_why(monkeypatch, tmp_path):
    from raylm.config.errors import RunFailed

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(RunFailed, match=r"Ray did not start: .+"):
        start_owned(HeadOptions(num_cpus=-1))
    assert find_owned() is None
