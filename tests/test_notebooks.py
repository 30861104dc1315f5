"""Every notebook runs from top to bottom, in a fresh kernel and an empty home.

A cell tagged `parameters` says how long a notebook trains; the tests say less, as papermill would.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.long

CELL_S = 600  # against hanging alone: a cell trains five families, beside another test
FEW_STEPS = "STEPS = 12"
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_top_to_bottom(path: Path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            assert cell.source.startswith("STEPS = ")
            cell.source = FEW_STEPS
    client = NotebookClient(notebook, timeout=CELL_S, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    shown = next(output.data for output in last.outputs if output.output_type == "execute_result")
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "finished" in shown["text/plain"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
