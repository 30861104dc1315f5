"""What every test gets: no hubs, no person's own configuration, one thread, one process per costly server."""

import os
from pathlib import Path

import pytest

# Set before anything imports torch or transformers; two test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

# Tests of these kinds share a costly thing (a Ray cluster, a JupyterLab server): one process runs them all.
SHARED = ("ray", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """Keep tests that share a session-wide server in one process when the suite runs in parallel."""
    for item in items:
        for name in SHARED:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point configuration, state and storage at an empty folder, so that no test sees a person's runs."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("RAYLM_STORAGE", str(home / "runs"))
    for name in ("RAY_ADDRESS", "RAY_JOB_CONFIG_JSON_ENV_VAR"):
        monkeypatch.delenv(name, raising=False)
    return home
