"""`%raylm` in a kernel: what is shown, what is refused in one line, and a cell as a job."""

import json
import re
import time

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from raylm.jobs.clusters import Cluster
from raylm.jobs.programs import Job, program_command
from raylm.runs.catalogue import list_runs
from raylm.runs.run import Run
from raylm.widgets import Cockpit, panels
from tests.tiny import QUESTION, SMALLEST

KIND = '''
"""Predict each token from those after it."""
from typing import Literal
from raylm.objectives.causal import Causal

class Reverse(Causal):
    """Right to left."""
    kind: Literal["reverse"] = "reverse"
'''
PROGRAM = """
import os
import raylm

run = raylm.train(raylm.Recipe.load("small.json", ["train.max_steps=2", "scaling.num_workers=0"]))
print("trained", run.status().status, "joins", os.environ["RAY_ADDRESS"], __file__)
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Return what runs a notebook's cells, with the magic in it, in a folder with a recipe."""
    (tmp_path / "tiny.txt").write_text(QUESTION)
    values = {**SMALLEST, "data": {"sources": [{"kind": "text", "path": "tiny.txt"}]}}
    (tmp_path / "small.json").write_text(json.dumps({**values, "scaling": {"num_workers": 1}}))
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell()
    assert shell.run_cell("%load_ext raylm").success
    return shell


def run(shell, cell):
    done = shell.run_cell(cell)
    assert done.success, done.error_in_exec or done.error_before_exec
    return done.result


def refused(shell, cell):
    """Run a cell that is not right, and return the one line that says so."""
    error = shell.run_cell(cell).error_in_exec
    assert isinstance(error, UsageError), error
    assert "\n" not in str(error)
    return str(error)


def test_the_cockpit_is_shown_with_the_runs_of_a_storage(shell, storage):
    Run.create(storage, "mine", {"name": "mine"})
    assert isinstance(run(shell, "%raylm"), Cockpit)
    shown = run(shell, f"%raylm --storage {storage}")
    assert "mine" in repr(shown)
    assert "mine" not in repr(run(shell, "%raylm cockpit"))


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel.title)
def test_a_panel_is_shown_by_its_name(shell, panel):
    assert isinstance(run(shell, f"%raylm {panel.title.lower()}"), panel)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%raylm monitr", "'monitr' is no panel of .*Monitor.*did you mean Monitor"),
        ("%raylm monitor --storag x", "unrecognized arguments: --storag x. Usage: %raylm"),
        ("%raylm --storage", "expected one argument"),
        ("%raylm 'monitor", "No closing quotation"),
        ("%raylm submit", "takes two signs: %%raylm submit"),
        ("%raylm logs", "required: job"),
        ("%%raylm\nx = 1", "a cell can be submitted: %%raylm submit"),
        ("%%raylm submit train.max_steps=3\nx = 1", "train.max_steps=3 changes a recipe, and none is named"),
        ("%%raylm submit --name a\nx = 1", "--name a changes a recipe"),
        ("%%raylm submit --address nowhere\nx = 1", "no cluster named 'nowhere'"),
        ("%%raylm submit --recipe gone.yaml\nx = 1", "gone.yaml"),
        ("%%raylm submit\nx = 1\ndef f(:\n  pass", "line 3: invalid syntax: def f"),
        ("%%raylm submit --recipe small.json\n!ls", "line 2: .*plain Python only"),
    ],
)
def test_what_is_not_right_is_told_in_one_line(shell, cell, says):
    assert re.search(says, refused(shell, cell))
    assert list_runs() == []


def test_a_recipe_that_does_not_fit_the_cell_is_told_and_no_run_is_made(shell, capsys):
    cell = f"%%raylm submit objective.kind=sideways --recipe small.json\n{KIND}"
    assert refused(shell, cell).startswith("nothing was submitted")
    assert "'sideways' unknown; raylm has" in capsys.readouterr().out
    assert list_runs() == []


def test_a_folder_with_a_blank_and_a_quote_does_not_become_shell(tmp_path):
    folder = tmp_path / "it's a; folder"
    command = program_command(Cluster("owned", "http://127.0.0.1:1"), "cell_1.py", folder)
    assert """'"'"'s a; folder' &&""" in command
    assert program_command(Cluster("far", "https://far"), "cell_1.py", folder) == "python -u cell_1.py"


@pytest.mark.ray
def test_a_cell_runs_on_the_cluster_as_a_program_and_as_kinds_of_a_run(shell, owned_cluster, capsys):
    job = run(shell, f"%%raylm submit\n{PROGRAM}")
    assert isinstance(job, Job)
    mine = run(shell, f"%%raylm submit objective.kind=reverse --recipe small.json --name mine\n{KIND}")
    assert isinstance(mine, Run)
    assert (mine.name, mine.launches()[0]["submission_id"]) == ("mine", f"{mine.run_id}-l1")
    assert f"%raylm stop {job.job_id}" in job._repr_html_()

    deadline = time.monotonic() + 150
    while (job.status() in {"PENDING", "RUNNING"} or mine.status().is_live) and time.monotonic() < deadline:
        time.sleep(0.5)
    capsys.readouterr()
    run(shell, f"%raylm logs {job.job_id}")
    printed = capsys.readouterr().out
    assert re.search(r"trained finished joins [\d.]+:\d+ /", printed), printed
    assert "/cell_" in printed
    assert (job.status(), job.stop()) == ("SUCCEEDED", False)
    assert mine.status().status == "finished", mine.status()
    assert "kind: reverse" in mine.recipe_yaml()
    (plugin,) = mine.folder.names("plugins")
    assert plugin.startswith("cell_")
    (other,) = [one for one in list_runs() if one.run_id != mine.run_id]
    assert other.status().step == 2
