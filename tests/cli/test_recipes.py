"""Bad input gives one clear line a problem, with field, place and mend; exit code 2; never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from raylm.cli import main
from raylm.config import parse_value
from raylm.recipe import Recipe

RECIPE = """\
format: 1
name: tiny
model:
  kind: gpt2
  num_layers: 2
  num_heads: 4
  hidden_size: 32
tokenizer: {kind: character}
data:
  sources:
    - kind: text
      path: corpus.txt
objective: {kind: causal}
optimizer:
  kind: adamw
  learning_rate: 1e-3
schedule:
  kind: cosine
  warmup_steps: 10
train:
  max_steps: 100
  sequence_length: 16
  global_batch_size: 12
  micro_batch_size: 12
"""
TOKEN = "hf_CANARYcanaryCANARY"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("To be, or not to be, that is the question. " * 100)
    (tmp_path / "run.yaml").write_text(RECIPE)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what stands on the error stream of a refused command."""
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert "Traceback" not in err
    return err


BAD = parse_value(Path(__file__).with_name("bad_recipes.yaml").read_text())


@pytest.mark.parametrize("bad", BAD, ids=[f"{bad['row']}-{bad['by'][:30]!r}" for bad in BAD])
def test_a_bad_recipe_is_refused_in_a_clear_line(capsys, bad):
    wrong = bad["by"].replace("TOKEN", TOKEN)
    Path("run.yaml").write_text(RECIPE.replace(bad.get("replace", RECIPE), wrong, 1))
    err = refused(capsys, "check", "run.yaml")
    assert bad["says"] in err
    assert TOKEN not in err


def test_row_1_a_number_in_e_notation_is_a_number(capsys):
    code, out, _ = call(capsys, "check", "run.yaml")
    assert (code, out) == (0, "run.yaml: good\n")


@pytest.mark.parametrize("name", ["on", "no", "NO", "off"])
def test_row_3_a_word_in_a_text_field_stays_text(capsys, name):
    Path("run.yaml").write_text(RECIPE.replace("name: tiny", f"name: {name}"))
    assert call(capsys, "check", "run.yaml")[0] == 0


def test_row_7_a_whole_number_in_e_notation_is_whole(capsys):
    assert call(capsys, "check", "run.yaml", "train.max_tokens=1e6", "train.max_steps=null")[0] == 0


def test_row_10_a_bomb_of_aliases_is_refused(capsys):
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    Path("run.yaml").write_text("\n".join(["a0: &a0 [lol]", *levels]))
    assert "expands over 10,000 values" in refused(capsys, "check", "run.yaml")


def test_row_10_a_file_that_is_no_recipe_for_its_size_is_refused(capsys):
    with Path("run.yaml").open("wb") as file:
        file.truncate(2**30)
    assert "file over 1 MB" in refused(capsys, "check", "run.yaml")


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + RECIPE.encode(), RECIPE.replace("\n", "\r\n").encode()])
def test_row_11_a_byte_order_mark_and_windows_line_ends_are_accepted(capsys, data):
    Path("run.yaml").write_bytes(data)
    assert call(capsys, "check", "run.yaml")[0] == 0


def test_row_11_a_byte_that_is_not_utf_8_is_given_by_line_and_column(capsys):
    Path("run.yaml").write_bytes(RECIPE.replace("tiny", "Zoë").encode("latin-1"))
    assert "(run.yaml:2): column 9: byte is not UTF-8; save the file as UTF-8" in refused(
        capsys, "check", "run.yaml"
    )


def test_row_12_a_missing_recipe_names_its_neighbours(capsys):
    assert "rum.yaml: no such file; near names there: run.yaml" in refused(capsys, "check", "rum.yaml")


def test_row_12_a_directory_is_no_recipe(capsys):
    Path("folder.yaml").mkdir()
    assert "folder.yaml: is a directory" in refused(capsys, "check", "folder.yaml")


def test_row_12_a_recipe_that_may_not_be_read_says_why(capsys, monkeypatch):
    def deny(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)  # tests may run as root, who may read everything
    assert "run.yaml: cannot be read: Permission denied" in refused(capsys, "check", "run.yaml")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["check", "run.yaml", "--jsn"], "--json"),
        (["check", "run.yaml", "--storage"], "requires an argument"),
        (["check", "run.yaml", "--json", "--json"], "--json is given 2 times; keep one"),
        (["check"], "Missing argument 'RECIPE'"),
        (["chekc", "run.yaml"], "check"),
    ],
)
def test_row_16_a_wrong_option_gives_the_usage_and_what_is_near(capsys, arguments, text):
    err = refused(capsys, *arguments)
    assert "Usage: raylm" in err
    assert text in err


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("optimizer.learning_rate=abc", "optimizer.learning_rate (command line): must be a number > 0"),
        ("optimizer.learning_rate=", "optimizer.learning_rate (command line): must be a number > 0"),
        ("optimizer.learning_rte=1", "unknown field learning_rte; did you mean learning_rate?"),
        ("optimiser.learning_rate=1", "unknown field optimiser; did you mean optimizer?"),
        ("max_steps=5", "max_steps (command line): unknown field max_steps; did you mean train.max_steps?"),
        ("max_steps", "'max_steps' is no override; write section.field=value"),
        ("data.sources.3.path=x", "data.sources.3.path (command line): the list has no 3"),
        ("train.max_steps=[1", "train.max_steps (command line): "),
        (f"hub.token={TOKEN}", "hub.token (command line): looks like a secret"),
        (f"{TOKEN}=1", "looks like a secret"),
        (TOKEN, "*** is no override"),
    ],
)
def test_row_16_a_wrong_override_names_field_and_mend(capsys, override, line):
    err = refused(capsys, "check", "run.yaml", override)
    assert line in err
    assert TOKEN not in err


def test_row_16_the_same_override_twice_is_refused(capsys):
    err = refused(capsys, "check", "run.yaml", "train.seed=1", "train.seed=2")
    assert "train.seed (command line): given twice; keep one of them" in err


def test_row_17_a_secret_from_the_environment_is_refused_and_not_shown(capsys, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    err = refused(capsys, "check", "run.yaml", "storage=s3://${MY_TOKEN}/runs")
    assert "storage (command line): looks like a secret" in err
    assert TOKEN not in err


def test_row_19_a_variable_that_is_set_is_filled_in(capsys, monkeypatch, folder):
    monkeypatch.setenv("TEXTS", str(folder))
    assert call(capsys, "check", "run.yaml", "data.sources.0.path=${TEXTS}/corpus.txt")[0] == 0


def test_all_problems_come_at_once(capsys):
    broken = (
        RECIPE.replace("1e-3", "0")
        .replace("num_layers: 2", "num_layers: x")
        .replace("kind: cosine", "kind: cosin")
    )
    Path("run.yaml").write_text(broken)
    fields = [
        line.partition(" ")[0]
        for line in refused(capsys, "check", "run.yaml", "train.seed=true").splitlines()
    ]
    assert fields == ["model.num_layers", "optimizer.learning_rate", "schedule.kind", "train.seed"]


def test_problems_are_printed_as_json_where_asked(capsys):
    code, out, _ = call(capsys, "check", "run.yaml", "train.max_steps=0", "--json")
    answer = json.loads(out)
    assert code == 2
    assert answer["ok"] is False
    assert answer["problems"][0]["field"] == "train.max_steps"
    assert answer["problems"][0]["location"] == "command line"


def test_what_only_this_machine_can_tell_is_checked_too(capsys):
    assert "no_such.txt does not exist" in refused(
        capsys, "check", "run.yaml", "data.sources.0.path=no_such.txt"
    )
    assert "workers x 1 CPU asked" in refused(
        capsys, "check", "run.yaml", "scaling.num_workers=16384", "train.global_batch_size=16384"
    )


def test_a_plan_shows_what_is_known_and_nothing_else(capsys):
    code, out, _ = call(capsys, "plan", "run.yaml", "--json")
    figures = json.loads(out)
    assert code == 0
    assert figures["steps"] == 100
    assert figures["tokens"] == 100 * 12 * 16
    assert figures["parameters"] > 0
    assert "seconds" not in figures
    code, out, _ = call(capsys, "plan", "run.yaml")
    assert code == 0
    assert "parameters" in out
    assert "time" not in out


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--data", "corpus.txt"],
        ["--data", "*.txt"],
        ["--starter", "shakespeare_char"],
        ["--starter", "prepare_books"],
    ],
)
def test_a_starter_is_good_as_it_is(capsys, options):
    assert call(capsys, "init", "first", *options)[0] == 0
    assert call(capsys, "check", "first.yaml")[1] == "first.yaml: good\n"


def test_a_starter_explains_its_fields(capsys):
    call(capsys, "init", "first", "--data", ".")
    text = Path("first.yaml").read_text()
    assert "# Tokens in one sequence" in text
    assert "path: ./**/*.txt" in text


@pytest.mark.parametrize(
    ("name", "kind"), [("x.jsonl.gz", "jsonl"), ("x.tsv", "csv"), ("x.parquet", "parquet")]
)
def test_a_starter_takes_its_kind_of_source_from_the_files_name(capsys, name, kind):
    Path(name).write_bytes(b"rows")
    assert call(capsys, "init", "first", "--data", name)[0] == 0
    assert Recipe.load("first.yaml").data.sources[0].kind == kind


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["init", "run"], "NAME: run.yaml exists"),
        (["init", "../x"], "'../x'"),
        (["init", "a", "--data", "corpus.tx"], "--data: corpus.tx does not exist; near it: corpus.txt"),
        (["init", "a", "--starter", "shakespear_char"], "did you mean shakespeare_char?"),
        (
            ["init", "a", "--starter", "prepare_books", "--data", "corpus.txt"],
            "--data: prepare_books reads 4 sources",
        ),
    ],
)
def test_a_starter_that_cannot_be_written_says_why(capsys, arguments, line):
    assert line in refused(capsys, *arguments)
    assert not Path("a.yaml").exists()


def test_a_refused_command_of_a_real_shell_has_no_traceback():
    command = [sys.executable, "-m", "raylm", "check", "run.yaml", "train.max_steps=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("train.max_steps (command line): must be a whole number")
    assert len(done.stderr.splitlines()) == 1
