"""What a wheel carries of the extension, so that a person's install needs no node."""

import json
import tomllib
from pathlib import Path

import raylm

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "raylm" / "labextension"
BUILT = json.loads((FOLDER / "dist" / "package.json").read_text())


def test_the_built_extension_is_of_these_sources_and_this_version():
    source = json.loads((FOLDER / "shell" / "package.json").read_text())
    build = BUILT["jupyterlab"].pop("_build")
    assert source == BUILT
    assert source["version"] == raylm.__version__
    assert (FOLDER / "dist" / build["load"]).is_file()


def test_a_wheel_puts_each_part_where_jupyter_looks():
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    shared = hatch["build"]["targets"]["wheel"]["shared-data"]
    assert all((ROOT / source).exists() for source in shared)
    places = set(shared.values())
    assert "etc/jupyter/jupyter_server_config.d/raylm.json" in places
    assert f"share/jupyter/labextensions/{BUILT['name']}" in places


def test_lock_files_name_no_index():
    assert "http" not in (FOLDER / "shell" / "yarn.lock").read_text()
