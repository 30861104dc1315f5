"""A real JupyterLab and a real Chromium, one each per session, cut off from all but this machine."""

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from raylm.runs.catalogue import list_runs
from tests.browser.server import Server
from tests.browser.window import Cockpit, Lab, Shell, Window

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Lab]:
    """Start JupyterLab over copies of the notebooks and examples, with a home of its own."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "project"
    for name in ("notebooks", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    _write_settings(home)
    _install_extension(home)
    port, token = _free_port(), "token-of-the-test"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    server = Server(command, _environment(home), folder, f"{url}/api?token={token}")
    try:
        server.start()
        yield Lab(url, token, folder, str(home / "runs"), server)
    finally:
        server.end()
        _end_runs(str(home / "runs"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        message = "Chromium is not installed: apt-get install chromium"
        # A person without it runs the other tests; continuous integration must not pass without these.
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_window(lab: Lab, browser: Browser) -> Iterator[Window]:
    shared = Window(lab, browser)
    yield shared
    shared.close()


@pytest.fixture
def window(shared_window: Window, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Window]:
    """Yield the browser's window; a test that fails leaves neither page nor run to those behind it."""
    yield shared_window
    if request.node.stash.get(HAS_FAILED, False):
        shared_window.close()
        _end_runs(lab.storage)
    shared_window.check()


HAS_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    item.stash[HAS_FAILED] = item.stash.get(HAS_FAILED, False) or report.failed
    return report


@pytest.fixture
def cockpit(window: Window) -> Iterator[Cockpit]:
    """Return the cockpit alone, on a recipe that takes seconds."""
    opened = window.cockpit()
    yield opened
    opened.tidy()


@pytest.fixture
def shell(window: Window, lab: Lab) -> Iterator[Shell]:
    """Open JupyterLab anew, with no notebook."""
    opened = Shell(window.new_page(), lab)
    opened.load("&reset")
    yield opened
    opened.use_theme("Light")
    opened.page.close()


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "RAYLM_STORAGE": "runs",
        "XDG_CACHE_HOME": "cache",
        "JUPYTER_CONFIG_DIR": "jupyter/config", "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_RUNTIME_DIR": "jupyter/runtime", "JUPYTERLAB_SETTINGS_DIR": "jupyter/settings",
        "JUPYTERLAB_WORKSPACES_DIR": "jupyter/workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    own = {name: str(home / folder) for name, folder in folders.items()}
    # What is built here comes before what was installed once: Jupyter would prefer an environment's own.
    return {**os.environ, **own, "JUPYTER_PLATFORM_DIRS": "1", "JUPYTER_PREFER_ENV_PATH": "0"}


def _write_settings(home: Path) -> None:
    folder = home / "jupyter" / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(news))


def _install_extension(home: Path) -> None:
    """Put what a wheel puts into its environment where this server looks first."""
    config = home / "jupyter" / "config" / "jupyter_server_config.d"
    shutil.copytree(ROOT / "jupyter-config" / "jupyter_server_config.d", config)
    labextension = home / "jupyter" / "data" / "labextensions" / "raylm"
    shutil.copytree(ROOT / "raylm" / "labextension" / "dist", labextension)


def _end_runs(storage: str) -> None:
    """End what a failed test left running: a run depends on no server and on no page."""
    for run in list_runs([storage]):
        status = run.status()
        if status.is_live and status.owner:
            os.kill(status.owner["pid"], signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
