"""What a wheel carries of the extension, so that a person's install needs no node."""

import json
import tomllib
from pathlib import Path

import raylm
from tests.labextension.sources import DIST, NOTE, SHELL, digest, now

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "raylm" / "labextension"
BUILT = json.loads((FOLDER / "dist" / "package.json").read_text())


def test_the_built_extension_is_of_these_sources_and_this_version():
    source = json.loads((FOLDER / "shell" / "package.json").read_text())
    build = BUILT["jupyterlab"].pop("_build")
    assert source == BUILT
    assert source["version"] == raylm.__version__
    assert (FOLDER / "dist" / build["load"]).is_file()


def test_the_extension_was_built_of_the_sources_as_they_are():
    assert json.loads(NOTE.read_text()) == now(), "run `make shell`, which builds it anew and notes of what"


def test_a_changed_source_is_noticed(tmp_path):
    source = tmp_path / "src" / "index.ts"
    source.parent.mkdir()
    source.write_text("1")
    first = digest(tmp_path, [source])
    source.write_text("2")
    second = digest(tmp_path, [source])
    moved = source.rename(source.with_name("other.ts"))
    assert len({first, second, digest(tmp_path, [moved])}) == 3


def test_the_settings_are_built_in_and_belong_to_the_plugin():
    schema = json.loads((SHELL / "schema" / "cockpit.json").read_text())
    assert json.loads((DIST / "schemas" / "raylm" / "cockpit.json").read_text()) == schema
    assert 'PLUGIN = "raylm:cockpit"' in (SHELL / "src" / "index.ts").read_text()
    settings = {name: (one["type"], one["default"]) for name, one in schema["properties"].items()}
    assert settings == {
        "storage": ("string", ""), "pollInterval": ("number", 0.5), "toasts": ("boolean", True),
    }  # fmt: skip
    assert schema["properties"]["pollInterval"]["minimum"] == 0.1
    assert schema["additionalProperties"] is False


def test_a_wheel_puts_each_part_where_jupyter_looks():
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    shared = hatch["build"]["targets"]["wheel"]["shared-data"]
    assert all((ROOT / source).exists() for source in shared)
    places = set(shared.values())
    assert "etc/jupyter/jupyter_server_config.d/raylm.json" in places
    assert f"share/jupyter/labextensions/{BUILT['name']}" in places


def test_lock_files_name_no_index():
    assert "http" not in (FOLDER / "shell" / "yarn.lock").read_text()
