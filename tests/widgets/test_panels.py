import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_client.session import Session

from raylm import widgets
from raylm.api.store import Store
from raylm.runs import Run
from raylm.widgets import Checkpoints, Cockpit, Launch, Monitor, cockpit, panels

VIEWS = Path(panels.__code__.co_filename).parents[1] / "views"


def test_the_cockpit_holds_every_panel_in_a_tab():
    shown = cockpit()
    pairs = zip(shown.children, panels(), strict=True)
    assert all(isinstance(child, panel) for child, panel in pairs)
    assert {"Launch", "Monitor", "Checkpoints"} <= set(shown.titles)


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


def test_an_answer_with_half_a_character_reaches_the_screen(monkeypatch, storage):
    run = Run.create(storage, "20260101-000000-half-0000", {"name": "half \ud83d one"})
    panel = Monitor(Store(storage))
    sent: list[bytes] = []
    monkeypatch.setattr(panel, "send", lambda answer: sent.append(Session().pack(answer)))
    panel._reply({"id": "a", "method": "run", "args": {"run_id": run.run_id}})
    assert json.loads(sent[0])["result"]["name"] == "half \N{REPLACEMENT CHARACTER} one"


def test_an_answer_that_json_cannot_hold_is_a_refusal_and_the_screen_waits_for_nothing(monkeypatch):
    panel = Monitor()
    sent = []
    monkeypatch.setattr(panel, "send", sent.append)
    for answer in (float("nan"), {1, 2}):
        monkeypatch.setattr(panel.store, "answer", lambda _method, _args, answer=answer: {"result": answer})
        panel._reply({"id": "a", "method": "runs"})
        assert "cannot be sent" in sent.pop()["error"]["message"]


def test_every_panel_can_be_imported_by_its_name():
    assert {panel.__name__ for panel in panels()} <= set(widgets.__all__)


def panel_of(shown, kind):
    return next(child for child in shown.children if isinstance(child, kind))


@pytest.mark.parametrize("kind", [Launch, Checkpoints])
def test_a_run_that_is_started_is_shown_by_monitor_each_time(kind):
    shown = cockpit()
    panel, monitor = panel_of(shown, kind), panel_of(shown, Monitor)
    for _ in range(2):
        shown.show(kind.title)
        panel.started = "20260101-000000-a-0000"
        assert monitor.run_id == "20260101-000000-a-0000"
        assert shown.titles[shown.selected_index] == "Monitor"


def test_a_run_chosen_in_one_panel_is_chosen_in_all_and_the_tab_stays():
    shown = cockpit()
    for kind, run_id in ((Monitor, "a"), (Checkpoints, "b")):
        shown.show(kind.title)
        panel_of(shown, kind).run_id = run_id
        assert {panel.run_id for panel in shown.children} == {run_id}
        assert shown.titles[shown.selected_index] == kind.title


def test_without_a_notebook_the_cockpit_says_what_runs_there_are():
    text = repr(cockpit())
    assert "JupyterLab" in text
    assert "No runs yet" in text
    assert isinstance(cockpit(), Cockpit)


def test_the_lock_file_names_no_package_index():
    lock = json.loads((VIEWS / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
