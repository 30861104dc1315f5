import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from raylm.config.errors import BadInput
from raylm.runs import AlreadyLaunched, Lease, Run, make_run_id


def claim(run):
    try:
        return Run.open(run.storage, run.run_id).claim_launch("a: 1\n", how="job")
    except AlreadyLaunched:
        return None


def test_of_twenty_claims_at_once_one_wins(run):
    with ThreadPoolExecutor(20) as pool:
        claims = list(pool.map(lambda _: claim(run), range(20)))
    assert sorted(claims, key=str) == [1] + [None] * 19
    assert [one["launch"] for one in run.launches()] == [1]


def test_of_twenty_creations_at_once_one_wins(storage):
    run_id = make_run_id("twice")

    def create(_):
        try:
            return Run.create(storage, run_id)
        except BadInput:
            return None

    with ThreadPoolExecutor(20) as pool:
        assert sum(run is not None for run in pool.map(create, range(20))) == 1


def test_a_launch_says_who_how_and_with_which_recipe(run):
    run.claim_launch("train: {max_steps: 3}\n", how="job", address="http://127.0.0.1:8265")
    [launch] = run.launches()
    assert launch["submission_id"] == f"{run.run_id}-l1"
    assert launch["address"] == "http://127.0.0.1:8265"
    assert launch["person"]
    assert run.recipe_yaml() == "train: {max_steps: 3}\n"
    assert run.recipe_yaml(1) == run.recipe_yaml()
    with pytest.raises(BadInput):
        run.recipe_yaml(2)


def test_a_run_that_ended_can_be_launched_again(run):
    Lease.acquire(run, run.claim_launch("a: 1\n", how="here")).release("stopped")
    assert run.claim_launch("a: 2\n", how="here") == 2
    assert run.recipe_yaml() == "a: 2\n"
    assert run.recipe_yaml(1) == "a: 1\n"


def test_what_is_known_later_joins_the_record_and_stays(run):
    before = run.header()
    run.add_to_header(ledger={"sources": []}, data_digest="ab")
    assert run.header() == {**before, "ledger": {"sources": []}, "data_digest": "ab"}
    stamp = run.folder.stamp("run.json")
    run.add_to_header(data_digest="ab")
    assert run.folder.stamp("run.json") == stamp
    run.add_to_header(data_digest="cd")
    assert Run.open(run.storage, run.run_id).header()["data_digest"] == "cd"


def test_an_existing_id_is_refused_and_resume_is_named(run):
    with pytest.raises(BadInput, match=f"runs resume {run.run_id}"):
        Run.create(run.storage, run.run_id)


def test_run_json_is_kept_as_given(storage):
    run = Run.create(storage, make_run_id("kept"), {"name": "kept", "recipe_digest": "ab"})
    header = Run.open(storage, run.run_id).header()
    assert header["recipe_digest"] == "ab"
    assert header["format"] == 1
    assert header["run_id"] == run.run_id


def test_a_run_of_a_newer_raylm_is_refused_by_version(run):
    run.folder.write("run.json", json.dumps({"format": 99}).encode())
    opened = Run.open(run.storage, run.run_id)
    with pytest.raises(BadInput, match="99"):
        opened.header()
    assert opened.status().status == "lost"


def test_a_run_is_found_by_its_uri(run):
    assert Run.from_uri(run.uri).header() == run.header()
    with pytest.raises(BadInput, match="no run"):
        Run.from_uri(run.uri + "x")


def test_made_ids_are_at_most_64_characters_and_allowed():
    run_id = make_run_id("n" * 64)
    assert len(run_id) == 64
