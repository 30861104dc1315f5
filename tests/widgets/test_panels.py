import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raylm.widgets import Cockpit, Launch, Monitor, cockpit, panels

VIEWS = Path(panels.__code__.co_filename).parents[1] / "views"


def test_the_cockpit_holds_every_panel_in_a_tab():
    shown = cockpit()
    pairs = zip(shown.children, panels(), strict=True)
    assert all(isinstance(child, panel) for child, panel in pairs)
    assert {"Launch", "Monitor"} <= set(shown.titles)


@pytest.mark.parametrize("panel", panels())
def test_a_panel_ships_its_built_screen(panel):
    built = panel()
    assert len(built._esm) > 1000
    assert ".raylm" in built._css


def test_one_more_file_is_one_more_panel(tmp_path):
    """In a copy of the tree: a file beside the others appears in the cockpit, nothing else is edited."""
    package = Path(sys.modules["raylm"].__file__).parent
    copy = tmp_path / "raylm"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    source = (copy / "widgets/panels/monitor.py").read_text()
    source = source.replace("class Monitor", "class Toy").replace('"Monitor"', '"Toy"').replace("30", "99")
    (copy / "widgets/panels/toy.py").write_text(source)
    program = "import raylm; print(raylm.cockpit().titles[-1])"
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, text=True)
    assert printed.strip() == "Toy"


def test_requests_are_answered_by_id_in_another_thread(monkeypatch):
    panel = Monitor()
    sent: list[dict] = []
    monkeypatch.setattr(panel, "send", sent.append)
    panel._handle_custom_msg({"id": "a", "method": "runs", "args": {}}, [])
    panel._handle_custom_msg({"id": "b", "method": "rm", "args": {}}, [])
    panel._handle_custom_msg("nonsense", [])
    deadline = time.monotonic() + 10
    while len(sent) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    answers = {answer["id"]: answer for answer in sent}
    assert answers["a"] == {"id": "a", "result": []}
    assert "is no question" in answers["b"]["error"]["message"]


def test_a_launched_run_is_shown_by_monitor():
    shown = cockpit()
    launch = next(child for child in shown.children if isinstance(child, Launch))
    monitor = next(child for child in shown.children if isinstance(child, Monitor))
    launch.run_id = "20260101-000000-a-0000"
    assert monitor.run_id == launch.run_id
    assert shown.titles[shown.selected_index] == "Monitor"


def test_without_a_notebook_the_cockpit_says_what_runs_there_are():
    text = repr(cockpit())
    assert "JupyterLab" in text
    assert "No runs yet" in text
    assert isinstance(cockpit(), Cockpit)


def test_the_lock_file_names_no_package_index():
    lock = json.loads((VIEWS / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
