"""From a step's line on disk to the pixels: a real JupyterLab and Chromium, the cockpit without a kernel."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench.harness import ROOT
from raylm.runs import Run

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TOKEN = "token-of-the-bench"  # noqa: S105 - of a server that lives for a minute, on this machine only
START_S = 120
_RNG = np.random.default_rng(0)
PACES = {"default": ("0.5 s", 120, (0.5, 1.1)), "fastest": ("0.1 s", 120, (0.25, 0.55))}
"""What the screen calls the pace, lines to write, and the least and most seconds between two of them."""

# The chart says its newest step in words in the same task in which its data changes; the next animation frame
# paints both.
WATCH = """() => {
  window.painted = [];
  const chart = document.querySelector('#raylm-cockpit [role=img][aria-label^=Chart]');
  const step = () => Number(/at step (\\d+)/.exec(chart.getAttribute('aria-label'))?.[1] ?? 0);
  new MutationObserver(() => requestAnimationFrame(
    () => window.painted.push([step(), performance.timeOrigin + performance.now()])
  )).observe(chart, {attributes: true, attributeFilter: ['aria-label']});
}"""


def measure(folder: Path, run: Run, append: Callable[[int], None], first: int) -> dict[str, float]:
    """Return median and 95th percentile in ms for each pace. `append` writes the line of a step."""
    figures: dict[str, float] = {}
    step = first
    with lab(folder, run.storage) as url, page_on(f"{url}/lab?token={TOKEN}&reset") as page:
        page.evaluate(
            "run => jupyterapp.commands.execute('raylm:open', {screen: 'monitor', runId: run})", run.run_id
        )
        chart = page.locator("#raylm-cockpit").get_by_role("img", name="Chart")
        page.wait_for_function(
            "step => document.querySelector('#raylm-cockpit [role=img]')"
            "?.getAttribute('aria-label')?.includes(`at step ${step}`)",
            arg=first - 1,
            timeout=60_000,
        )
        assert chart.is_visible()
        page.evaluate(WATCH)
        for name, (pace, num, pauses) in PACES.items():
            page.locator("#raylm-cockpit").get_by_label("every", exact=True).select_option(label=pace)
            page.wait_for_timeout(2000)
            delays = sorted(taken(page, append, range(step, step + num), pauses))
            step += num
            figures |= {
                f"pixels/{name}_median_ms": delays[len(delays) // 2],
                f"pixels/{name}_p95_ms": delays[int(0.95 * len(delays))],
                f"pixels/{name}_worst_ms": delays[-1],
            }
    return figures


def taken(
    page: Page, append: Callable[[int], None], steps: range, pauses: tuple[float, float]
) -> list[float]:
    """Write a line a step at uneven distances; return for each the ms until a frame showed it."""
    written: dict[int, float] = {}
    for step in steps:
        written[step] = time.time()
        append(step)
        page.wait_for_timeout(1e3 * _RNG.uniform(*pauses))
    page.wait_for_timeout(3000)
    painted: list[tuple[int, float]] = page.evaluate("window.painted")
    return [
        min(when for shown, when in painted if shown >= step) - 1e3 * moment
        for step, moment in written.items()
    ]


@contextmanager
def page_on(url: str) -> Iterator[Page]:
    """Open JupyterLab in Chromium and wait until it is at rest."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(url, timeout=60_000)
        page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        page.evaluate("jupyterapp.restored.then(() => jupyterapp.allPluginsActivated).then(() => null)")
        yield page
        browser.close()


@contextmanager
def lab(folder: Path, storage: str) -> Iterator[str]:
    """Start JupyterLab with raylm's extension and a home of its own; gives its address."""
    install(folder)
    port = free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment(folder, storage), stdout=log, stderr=log, cwd=folder
        )
    try:
        wait_until_up(server, f"http://127.0.0.1:{port}/api?token={TOKEN}", folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(15)


def install(folder: Path) -> None:
    """Put what a wheel puts into its environment where this server looks first, and ask for no news."""
    config = folder / "jupyter" / "config" / "jupyter_server_config.d"
    shutil.copytree(ROOT / "jupyter-config" / "jupyter_server_config.d", config)
    labextension = folder / "jupyter" / "data" / "labextensions" / "raylm"
    shutil.copytree(ROOT / "raylm" / "labextension" / "dist", labextension)
    settings = folder / "jupyter" / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(news))


def environment(folder: Path, storage: str) -> dict[str, Any]:
    """Return the environment of a server that sees no person's files."""
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache",
        "JUPYTER_CONFIG_DIR": "jupyter/config", "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_RUNTIME_DIR": "jupyter/runtime", "JUPYTERLAB_SETTINGS_DIR": "jupyter/settings",
        "JUPYTERLAB_WORKSPACES_DIR": "jupyter/workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    own = {name: str(folder / inner) for name, inner in folders.items()}
    return {**os.environ, **own, "RAYLM_STORAGE": storage, "JUPYTER_PLATFORM_DIRS": "1"}


def wait_until_up(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-3000:])


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
