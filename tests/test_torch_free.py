"""The command line, the recipe's schema and the store start without torch, transformers, datasets or Ray."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "datasets", "ray")
LIGHT = (
    "raylm",
    "raylm.config",
    "raylm.runs",
    "raylm.recipe",
    "raylm.jobs",
    "raylm.planning",
    "raylm.api",
    "raylm.api.store",
    "raylm.cli",
    "raylm.labextension",
    "raylm.labextension.extension",
    "raylm.labextension.answer_loop",
)


def run_without_heavy(code):
    """Run ``code`` in a fresh interpreter in which importing a heavy package raises ImportError."""
    block = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in HEAVY)
    command = [sys.executable, "-c", block + code]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", LIGHT)
def test_module_imports_without_heavy_packages(module):
    done = run_without_heavy(f"import {module}")
    assert done.returncode == 0, done.stderr


def test_schema_is_made_without_heavy_packages():
    done = run_without_heavy("from raylm.recipe import Recipe\nassert Recipe.schema()['sections']")
    assert done.returncode == 0, done.stderr


def test_help_is_printed_without_heavy_packages():
    done = run_without_heavy("import sys\nsys.argv = ['raylm', '--help']\nfrom raylm.cli import main\nmain()")
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout


def test_the_block_does_block():
    assert run_without_heavy("import torch").returncode == 1
