"""`raylm data ledger` and `raylm data saw`."""

import json

import pytest

from raylm.api.launch import drive
from raylm.cli import main
from raylm.runs.fork import fork
from raylm.runs.run import Run
from tests.mixed import mixed_recipe
from tests.tiny import train_alone


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("mixed")
    return train_alone(mixed_recipe(folder), str(folder / "runs"), "mixed")


def called(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        main(["data", *arguments])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, *capsys.readouterr()


def test_saw_counts_every_token_that_the_run_has_seen(capsys, trained):
    code, out, _ = called(capsys, "saw", "mixed@10", "--storage", trained.storage, "--json")
    assert code == 0
    answer = json.loads(out)
    assert (answer["run"], answer["step"], answer["parents"]) == ("mixed", 10, [])
    first, second = answer["sources"]
    assert first["tokens"] + second["tokens"] == trained.checkpoints.show(10).facts["tokens_seen"]
    assert first["sequences"] + second["sequences"] == 80
    assert 45 <= first["sequences"] <= 72  # three quarters of 80, give or take
    held = sum(stop - start for start, stop in first["token_ranges"])
    assert held == first["distinct_tokens"] <= first["num_tokens"]
    assert first["share"] == pytest.approx(held / first["num_tokens"])
    assert 10 < sum(stop - start for start, stop in first["document_ranges"]) < 300


def test_saw_tells_of_one_source_at_one_step(capsys, trained):
    code, out, err = called(capsys, "saw", "mixed@5", "--source", "second", "--storage", trained.storage)
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    name, tokens, epochs, *_, share = line.split("\t")
    assert name == "second"
    assert 0 < int(tokens.replace(",", "")) < 40 * 32
    assert 0 < float(epochs) < 0.1
    assert share.endswith("%")


def test_a_source_that_is_not_there_is_refused_by_name(capsys, trained):
    code, _, err = called(capsys, "saw", "mixed", "--source", "secnd", "--storage", trained.storage)
    assert code == 2
    assert err == "--source: the data has no source secnd; did you mean second?\n"


def test_a_forks_parent_is_named(capsys, trained):
    child = fork(trained, 5, run_id="child")
    code, _, err = called(capsys, "saw", "child", "--storage", trained.storage)
    assert code == 2
    assert err.startswith("run: child has no good checkpoint: it has none yet")
    drive(child, child.claim_launch(trained.recipe_yaml(), how="here"))
    code, out, err = called(capsys, "saw", "child", "--storage", trained.storage)
    assert code == 0
    assert err == f"counts what {trained.uri}@5 had seen, from which the run was forked\n"
    assert out == called(capsys, "saw", "mixed", "--storage", trained.storage)[1]


@pytest.mark.parametrize("reference", ["mixed", "mixed@10"])
def test_the_ledger_names_each_sources_licence_and_size(capsys, trained, reference):
    code, out, _ = called(capsys, "ledger", reference, "--storage", trained.storage)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[:2] for row in rows] == [["first", "CC0-1.0"], ["second", "CC0-1.0"]]
    code, out, _ = called(capsys, "ledger", reference, "--storage", trained.storage, "--json")
    assert [entry["name"] for entry in json.loads(out)["ledger"]["sources"]] == ["first", "second"]


def test_a_run_without_prepared_data_has_no_ledger(capsys, storage):
    Run.create(storage, "fresh")
    code, _, err = called(capsys, "ledger", "fresh", "--storage", storage)
    assert code == 2
    assert err == "run: fresh has no ledger; it is written once the data is prepared\n"
