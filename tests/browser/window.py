"""A browser's window on JupyterLab: its pages, and the cockpit in one of them."""

from pathlib import Path
from typing import NamedTuple

import nbformat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.browser.server import Server

ROOT = Path(__file__).parents[2]
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
SLOW_MS = 60_000  # two cores shared with a training run
SHARED_NOTEBOOK = "notebooks/cockpit.ipynb"


class Lab(NamedTuple):
    """A running JupyterLab."""

    url: str
    token: str
    folder: Path
    storage: str
    server: Server


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

    def labelled(self, label: str) -> Locator:
        """Return what has this label on the screen in front; the others wait in the page, unseen."""
        return self.output.get_by_label(label, exact=True).filter(visible=True)

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

    def close(self) -> None:
        """Leave neither page nor kernel."""
        self.use_theme("Light")
        self.end()
        self.page.close()

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


class Shell(Cockpit):
    """JupyterLab itself, with the cockpit in its main area."""

    @property
    def output(self) -> Locator:
        return self.page.locator("#raylm-cockpit")

    @property
    def side(self) -> Locator:
        return self.page.locator("#raylm-sidebar")

    def open_from_launcher(self) -> None:
        self.command("launcher:create")
        self.page.locator(".jp-LauncherCard", has_text="RayLM Cockpit").last.click()
        expect(self.tab("Launch")).to_be_visible()

    def show_side(self) -> None:
        self.page.evaluate("jupyterapp.shell.activateById('raylm-sidebar')")
        expect(self.side).to_be_visible()

    def load(self, options: str = "") -> None:
        """Load the page, as it was when it was left."""
        url = f"{self.lab.url}/lab/workspaces/shell?token={self.lab.token}{options}"
        self.page.goto(url, timeout=SLOW_MS)
        wait_for_lab(self.page)
        self.page.evaluate("jupyterapp.restored.then(() => jupyterapp.allPluginsActivated).then(() => null)")


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
            # A run of an earlier test that failed is told in a toast that stays, over a button perhaps.
            hide = self._cockpit.page.get_by_role("button", name="Hide notification")
            self._cockpit.page.add_locator_handler(
                hide.first,
                lambda _: hide.evaluate_all("buttons => buttons.forEach(button => button.click())"),
                no_wait_after=True,
            )
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


def wait_for_lab(page: Page) -> None:
    page.wait_for_function("window.jupyterapp !== undefined", timeout=SLOW_MS)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=SLOW_MS)


def _cockpit_notebook() -> nbformat.NotebookNode:
    source = (ROOT / "notebooks" / "01_first_run.ipynb").read_text()
    cells = [cell for cell in nbformat.reads(source, as_version=4).cells if cell.cell_type == "code"]
    notebook = nbformat.v4.new_notebook(cells=[cells[0], cells[-1]])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook
