"""A real JupyterLab and a real Chromium, one each per session, cut off from all but this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect, sync_playwright

from raylm.runs.catalogue import list_runs

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
START_S = 90
SLOW_MS = 60_000  # two cores shared with a training run
SHARED_NOTEBOOK = "notebooks/cockpit.ipynb"

expect.set_options(timeout=20_000)


class Lab(NamedTuple):
    """A running JupyterLab."""

    url: str
    token: str
    folder: Path
    storage: str


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
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_up(server, f"{url}/api?token={token}", home / "server.log")
        yield Lab(url, token, folder, str(home / "runs"))
    finally:
        server.terminate()
        server.wait(15)
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


_KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"


class Cockpit(NamedTuple):
    """A notebook open in JupyterLab, with the cockpit that its last cell shows."""

    page: Page
    lab: Lab

    @property
    def output(self) -> Locator:
        """The cockpit; JupyterLab has tabs and buttons of its own, which this leaves out."""
        return self.page.locator(".jp-OutputArea-output .widget-tab").last

    def tab(self, name: str) -> Locator:
        return self.output.get_by_role("tab", name=name, exact=True)

    def button(self, name: str) -> Locator:
        return self.output.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.output.locator(f'[name="{name}"]')

    @property
    def status(self) -> Locator:
        return self.output.get_by_role("status")

    @property
    def chart(self) -> Locator:
        return self.output.get_by_role("img", name="Chart")

    def command(self, name: str) -> None:
        self.page.evaluate("name => jupyterapp.commands.execute(name)", name)

    def run_all(self) -> None:
        """Run all cells and wait until the cockpit is there."""
        self.wait_for_kernel()
        self.command("notebook:run-all-cells")
        expect(self.tab("Launch")).to_be_visible(timeout=SLOW_MS)

    def has_kernel(self) -> bool:
        return self.page.evaluate(f"{_KERNEL}?.connectionStatus === 'connected' && !{_KERNEL}.isDisposed")

    def tidy(self) -> None:
        """Take the screens away, and what a test may have changed around them."""
        if self.has_kernel():
            self.command("notebook:clear-all-cell-outputs")
        self.use_theme("Light")

    def end(self) -> None:
        self.page.evaluate("jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")

    def restart_kernel(self) -> None:
        """Restart as a person would, clearing what was shown."""
        self.page.evaluate(f"{_KERNEL}.restart()")
        self.wait_for_kernel()
        self.command("notebook:clear-all-cell-outputs")

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(f"{_KERNEL}?.status === 'idle'", timeout=SLOW_MS)

    def use_theme(self, theme: str) -> None:
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}"
        )
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")


class Window:
    """JupyterLab in one browser tab, which test after test uses: a page and a kernel take ten seconds."""

    def __init__(self, lab: Lab, browser: Browser) -> None:
        self._lab, self._browser = lab, browser
        self._context: BrowserContext | None = None
        self._cockpit: Cockpit | None = None
        self._refused: list[str] = []

    def new_page(self) -> Page:
        """Return an empty page that reaches this machine only, in a browser that knows the server."""
        if self._context is None:
            self._context = self._browser.new_context(viewport={"width": 1400, "height": 1000})
            self._context.route("**/*", self._only_local)
        return self._context.new_page()

    def open(self, path: str) -> "Cockpit":
        """Return a notebook, open in a page of its own."""
        page = self.new_page()
        page.goto(
            f"{self._lab.url}/lab/workspaces/{Path(path).stem}/tree/{path}?token={self._lab.token}&reset"
        )
        wait_for_lab(page)
        return Cockpit(page, self._lab)

    def cockpit(self) -> "Cockpit":
        """Return the notebook that all tests share, its cells run anew."""
        if self._cockpit is not None and not self._cockpit.has_kernel():
            self.close()
        if self._cockpit is None:
            nbformat.write(_cockpit_notebook(), self._lab.folder / SHARED_NOTEBOOK)
            self._cockpit = self.open(SHARED_NOTEBOOK)
        self._cockpit.run_all()
        return self._cockpit

    def check(self) -> None:
        """Fail if anything tried to leave this machine."""
        refused, self._refused[:] = list(self._refused), []
        assert refused == []

    def close(self) -> None:
        """End the page and its kernel; the next test gets new ones."""
        if self._cockpit is not None:
            self._cockpit.end()
        if self._context is not None:
            self._context.close()
        self._context = self._cockpit = None

    def _only_local(self, route: Route) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            self._refused.append(route.request.url)
            route.abort()


@pytest.fixture(scope="session")
def shared_window(lab: Lab, browser: Browser) -> Iterator[Window]:
    shared = Window(lab, browser)
    yield shared
    shared.close()


@pytest.fixture
def window(shared_window: Window, request: pytest.FixtureRequest) -> Iterator[Window]:
    """Yield the browser tab; a test that fails leaves none to those behind it."""
    yield shared_window
    if request.node.stash.get(HAS_FAILED, False):
        shared_window.close()
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


def wait_for_lab(page: Page) -> None:
    page.wait_for_function("window.jupyterapp !== undefined", timeout=SLOW_MS)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=SLOW_MS)


def _cockpit_notebook() -> nbformat.NotebookNode:
    source = (ROOT / "notebooks" / "01_first_run.ipynb").read_text()
    cells = [cell for cell in nbformat.reads(source, as_version=4).cells if cell.cell_type == "code"]
    notebook = nbformat.v4.new_notebook(cells=[cells[0], cells[-1]])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "RAYLM_STORAGE": "runs",
        "JUPYTER_CONFIG_DIR": "jupyter/config", "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_RUNTIME_DIR": "jupyter/runtime", "JUPYTERLAB_SETTINGS_DIR": "jupyter/settings",
        "JUPYTERLAB_WORKSPACES_DIR": "jupyter/workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    own = {name: str(home / folder) for name, folder in folders.items()}
    return {**os.environ, **own, "JUPYTER_PLATFORM_DIRS": "1"}


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


def _wait_until_up(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-3000:])


def _end_runs(storage: str) -> None:
    """End what a failed test left running: a run does not depend on the server."""
    for run in list_runs([storage]):
        status = run.status()
        if status.is_live and status.owner:
            os.kill(status.owner["pid"], signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
