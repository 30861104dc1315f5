"""Which storages a page may have looked in."""

from urllib.parse import urlencode

import pytest

from raylm.config.errors import BadInput
from raylm.config.places import write_settings
from raylm.labextension.storages import chosen
from tests.labextension.conftest import TOKEN


def test_a_listed_storage_is_looked_in_and_no_wish_means_everywhere(tmp_path):
    write_settings({"storages": [str(tmp_path / "a"), {"name": "b", "uri": str(tmp_path / "b")}]})
    assert chosen("", None) is None
    assert chosen(f"{tmp_path}/a/", None) == f"{tmp_path}/a"
    assert chosen(f"{tmp_path}/b", None) == f"{tmp_path}/b"


@pytest.mark.parametrize("wanted", ["/etc", "/", "..", "s3://other/runs", "file:///etc", "{a}/../b", "~"])
def test_any_other_is_refused_with_those_that_are_listed(tmp_path, wanted):
    listed = str(tmp_path / "a")
    write_settings({"storages": [listed]})
    with pytest.raises(BadInput, match="is none of your storages: ") as error:
        chosen(wanted.format(a=listed), None)
    assert listed in str(error.value)
    assert "config.yaml" in error.value.problems[0].mend


def test_where_the_server_is_set_to_one_there_is_no_other(tmp_path):
    write_settings({"storages": ["/a"]})
    assert chosen("", "/own") == chosen("/own", "/own") == "/own"
    with pytest.raises(BadInput, match="none of your storages: /own"):
        chosen("/a", "/own")


def test_a_page_looks_only_in_a_storage_that_is_listed(server):
    login = {"Authorization": f"token {TOKEN}"}
    for name in ("runs", "starters"):  # answered by the server itself, and by an answerer
        for wanted, words in ((server.storage, ""), ("/etc", "'/etc' is none of your storages")):
            query = urlencode({"storage": wanted})
            answer = server.request("POST", f"/raylm/api/{name}?{query}", {}, **login)
            assert answer.status == 200
            assert words in answer.json.get("error", {"message": ""})["message"]
            assert ("error" in answer.json) == bool(words), (name, wanted)
