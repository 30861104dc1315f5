"""What every test gets: no hubs, no person's own configuration, one thread, one process per costly server."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from raylm.jobs.owned import OwnedCluster

# Set before anything imports torch or transformers; two test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

# Tests of these kinds share a costly thing (a Ray cluster, a JupyterLab server): one process runs them all.
SHARED = ("ray", "browser")
JOBS_END_S = 40  # Ray asks a job to end, and kills it 30 s later


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]):
    """Keep in one process what shares a server, and each file's tests, which may share a trained model.

    What takes longest begins first: begun last, it would leave the other core idle.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        shared = next((name for name in SHARED if item.get_closest_marker(name)), None)
        item.add_marker(pytest.mark.xdist_group(shared or item.location[0]))
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in (*SHARED, "long")))


@pytest.fixture(autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point home, configuration, state and storage at an empty folder: no test sees a person's files."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("RAYLM_STORAGE", str(home / "runs"))
    for name in (
        "RAY_ADDRESS",
        "RAY_API_SERVER_ADDRESS",
        "RAY_AUTH_TOKEN",
        "RAY_JOB_CONFIG_JSON_ENV_VAR",
        "RAY_TMPDIR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(_ray_token(tmp_path_factory)))
    return home


def _ray_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one token for the whole session: Ray reads it once a process."""
    path = tmp_path_factory.getbasetemp() / "ray-token"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Return an empty storage on this machine."""
    return str(tmp_path / "runs")


@pytest.fixture
def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def cluster_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the one Ray cluster of the session as a person would, and end it by process id.

    It offers 4 CPUs whatever the machine has, so that two workers and their driver fit.
    """
    from raylm.jobs.owned import start_owned, stop_owned
    from raylm.jobs.ray_head import HeadOptions

    state = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        patch.setenv("HOME", str(state))
        start_owned(HeadOptions(num_cpus=4))
    yield state
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        stop_owned()


@pytest.fixture
def owned_cluster(cluster_state: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[OwnedCluster]":
    """Return the session's Ray cluster; in this test it is the one that raylm owns. Mark the test `ray`.

    A test that stops its job is over when the job is: the next test finds none.
    """
    from raylm.jobs.owned import find_owned
    from raylm.jobs.ray_jobs import running_jobs

    monkeypatch.setenv("XDG_STATE_HOME", str(cluster_state))
    owned = find_owned()
    assert owned is not None, "the session's cluster has died"
    yield owned
    deadline = time.monotonic() + JOBS_END_S
    while jobs := running_jobs(owned.cluster()):
        assert time.monotonic() < deadline, f"the test left jobs behind: {jobs}"
        time.sleep(0.2)
