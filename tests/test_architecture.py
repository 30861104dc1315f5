"""The shape of the code: files and functions stay readable, and a few dangerous spellings stay away."""

import ast
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("raylm", "bench", "examples", "tests")
PYTHON = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
# Built bundles and what npm fetched keep their own shape.
BUILT = {"node_modules", "dist", "static", "vendor"}
SCRIPTS = sorted(
    path for kind in ("*.js", "*.ts") for path in (ROOT / "raylm").rglob(kind) if not BUILT & {*path.parts}
)

MAX_FILE_LINES = 300
MAX_MEDIAN_FILE_LINES = 130
MAX_FUNCTION_LINES = 50
MAX_CHAIN_ARMS = 4
JUNK_DRAWERS = {"utils", "util", "common", "helpers", "misc"}

# pattern -> files (relative to the root) that may hold it, because their whole job is to make it safe
BANNED = {
    r"ipywidgets\.HTML\(|widgets\.HTML\(": (),
    r"\binnerHTML\b": (),
    r"weights_only\s*=\s*False": (),
    r"\bpickle\.loads?\(|\bimport pickle\b|\bUnpickler\b": ("raylm/engine/shards.py",),
    r"\byaml\.(unsafe_|full_)?load(_all)?\(": ("raylm/config/yaml.py",),
    r"shell\s*=\s*True": (),
    r"trust_remote_code\s*=\s*True": (),
    r"#\s*nosec": (),
}


def name_of(path):
    return str(path.relative_to(ROOT))


def functions(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


def arms(node):
    """Branches of an if/elif/else chain that starts at ``node``."""
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return 1 + arms(node.orelse[0])
    return 2 if node.orelse else 1


@pytest.mark.parametrize("path", PYTHON + SCRIPTS, ids=name_of)
def test_file_is_short(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


def test_the_median_file_is_a_page_or_two():
    lengths = [
        len(path.read_text().splitlines()) for path in PYTHON if "raylm" in path.relative_to(ROOT).parts
    ]
    assert statistics.median(lengths) <= MAX_MEDIAN_FILE_LINES


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_functions_are_short(path):
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in functions(path)
        if node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_choices_are_not_spelled_as_long_chains(path):
    chains = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.If)]
    assert not [f"line {node.lineno}" for node in chains if arms(node) > MAX_CHAIN_ARMS]


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_file_is_a_junk_drawer(path):
    assert path.stem not in JUNK_DRAWERS


@pytest.mark.parametrize("pattern", BANNED)
def test_dangerous_spelling_is_absent(pattern):
    allowed = {*BANNED[pattern], name_of(Path(__file__))}
    files = [*PYTHON, *SCRIPTS, *sorted((ROOT / "notebooks").glob("*.ipynb"))]
    found = [
        name_of(path)
        for path in files
        if name_of(path) not in allowed and re.search(pattern, path.read_text())
    ]
    assert not found


def test_the_chain_counter_counts_arms():
    chain = "if a: pass\nelif b: pass\nelif c: pass\nelif d: pass\nelse: pass\n"
    assert arms(ast.parse(chain).body[0]) == 5
