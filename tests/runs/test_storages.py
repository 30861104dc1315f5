import pytest

from raylm.config.errors import BadInput
from raylm.runs.storages import check_writable, known, resolve


@pytest.fixture
def settings(own_configuration):
    path = own_configuration / "config" / "raylm" / "config.yaml"
    path.parent.mkdir(parents=True)
    return path


def test_the_order_is_command_line_recipe_environment_settings_home(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.write_text("storages: [/from/settings, /second]\n")
    monkeypatch.setenv("RAYLM_STORAGE", "/from/environment")
    assert resolve("/cli", "/recipe") == "/cli"
    assert resolve(None, "/recipe") == "/recipe"
    assert resolve() == "/from/environment"
    monkeypatch.delenv("RAYLM_STORAGE")
    assert resolve() == "/from/settings"
    settings.unlink()
    assert resolve() == str(tmp_path / "raylm" / "runs")


def test_a_relative_storage_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert resolve("runs") == str(tmp_path / "runs")
    assert resolve(f"file://{tmp_path}/x") == str(tmp_path / "x")
    assert resolve("memory://a/b") == "memory:///a/b"
    assert resolve(resolve("memory://a/b")) == resolve("memory://a/b")


def test_all_known_storages_are_listed_once(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAYLM_STORAGE", "/e")
    settings.write_text(
        "storages: [/a, {name: team, uri: /b}, /a]\nclusters: [{name: c, address: http://h:1, storage: /c}]\n"
    )
    assert known() == ["/e", "/a", "/b", "/c", str(tmp_path / "raylm" / "runs")]


@pytest.mark.parametrize("text", ["storages: x\n", "storages: [{name: a}]\n", "storages: ['']\n"])
def test_settings_that_are_wrong_are_bad_input(settings, monkeypatch, text):
    monkeypatch.delenv("RAYLM_STORAGE")
    settings.write_text(text)
    with pytest.raises(BadInput, match="storages"):
        resolve()


def test_a_writable_storage_has_no_problem_and_keeps_no_probe(tmp_path):
    assert check_writable(str(tmp_path / "new" / "runs")) is None
    assert list((tmp_path / "new" / "runs").iterdir()) == []
    assert check_writable("memory://probe/runs") is None


def test_a_file_in_place_of_the_storage_is_named(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        problem = check_writable(str(path))
        assert problem.field == "storage"
        assert str(path) in problem.message
        assert "file" in problem.message
        assert problem.mend


def test_a_storage_that_cannot_be_written_is_named():
    problem = check_writable("/proc/raylm")
    assert problem.field == "storage"
    assert "/proc/raylm" in problem.message


def test_a_storage_too_small_for_the_checkpoints_says_both_numbers(tmp_path):
    problem = check_writable(str(tmp_path), need_bytes=10**18)
    assert problem.code == "storage_full"
    assert "1000000000.0 GB" in problem.message
    assert "GB free" in problem.message


@pytest.mark.parametrize("uri", ["nowhere://bucket", "s3://bucket/runs"])
def test_a_filesystem_that_is_not_installed_is_said(uri):
    problem = check_writable(uri)
    assert problem.field == "storage"
    assert "\n" not in str(problem)
