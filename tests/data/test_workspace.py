"""Results on disk: whole or not there, kept while somebody uses them."""

import os
import time
import uuid

import pytest

from raylm.data.workspace import Workspace, key_of

WEEK = 7 * 24 * 3600


@pytest.fixture(params=["local", "memory"])
def uri(request, tmp_path):
    return str(tmp_path / "work") if request.param == "local" else f"memory://{uuid.uuid4().hex}"


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_result_is_found_by_its_step_and_key(uri):
    workspace = Workspace(uri)
    assert workspace.keys("read", ".json") == set()
    workspace.write_json("read", "a", {"text": "naïve", "number": 1})
    workspace.write("read", "b.arrow", b"123")
    again = Workspace(uri)
    assert (again.keys("read", ".json"), again.keys("read", ".arrow")) == ({"a"}, {"b"})
    assert again.keys("clean", ".json") == set()
    assert again.read_json("read", "a") == {"text": "naïve", "number": 1}
    assert again.read("read", "b.arrow") == b"123"
    with pytest.raises(FileNotFoundError):
        again.read_json("read", "c")


def test_a_key_follows_every_fact_and_not_the_order_of_names():
    facts = [
        ("read", 1),
        ("read", 2),
        ("read", "1"),
        ("read", [1]),
        ("read", {"a": 1}),
        ("read", 1, None),
        (["read", 1],),
    ]
    assert len({key_of(*each) for each in facts}) == len(facts)
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_what_is_being_written_is_no_result(tmp_path):
    workspace = Workspace(str(tmp_path))
    workspace.write("read", "a.json", b"{}")
    (tmp_path / "read" / ".b.json.1234").write_bytes(b"{")
    assert workspace.keys("read", ".json") == {"a"}


def test_what_nobody_used_for_a_week_is_removed_with_what_was_never_whole(tmp_path):
    workspace = Workspace(str(tmp_path))
    for name in ("old.json", "used.json", "new.json"):
        workspace.write("read", name, b"{}")
    (tmp_path / "read" / ".half.json.1234").write_bytes(b"{")
    for name in ("old.json", "used.json", ".half.json.1234"):
        age(tmp_path / "read" / name, WEEK + 60)
    age(tmp_path / "read" / "new.json", WEEK - 600)
    assert workspace.refresh("read", ["used.json"])
    workspace.sweep()
    assert sorted(path.name for path in (tmp_path / "read").iterdir()) == ["new.json", "used.json"]


def test_a_result_of_which_a_part_is_gone_is_not_refreshed(tmp_path):
    workspace = Workspace(str(tmp_path))
    workspace.write("read", "a.json", b"{}")
    assert workspace.refresh("read", ["a.json"])
    assert not workspace.refresh("read", ["a.json", "a.arrow"])


def test_an_object_store_keeps_its_results():
    workspace = Workspace(f"memory://{uuid.uuid4().hex}")
    workspace.write("read", "a.json", b"{}")
    workspace.sweep()
    assert workspace.refresh("read", ["a.json"])
    assert workspace.keys("read", ".json") == {"a"}
