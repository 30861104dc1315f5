"""`raylm generate`: several prompts, a file of them, searches, masks, and what is refused."""

import json

import pytest

from raylm.cli import main
from tests.tiny import tiny_recipe, train_alone

BERT = {
    "model": {"kind": "bert"},
    "tokenizer": {"kind": "wordpiece", "vocab_size": 400, "special_tokens": "bert"},
    "objective": {"kind": "masked"},
}


@pytest.fixture(scope="module")
def storage(tmp_path_factory) -> str:
    storage = str(tmp_path_factory.mktemp("generate"))
    for name, recipe in (("gpt", {}), ("bert", BERT)):
        train_alone(tiny_recipe(**recipe, train={"max_steps": 5}), storage, name)
    return storage


def call(capsys, storage, *arguments):
    """Return (exit code, output, error output) of `raylm generate`."""
    try:
        main(["generate", *map(str, arguments), "--storage", storage])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, *capsys.readouterr()


def texts_of(out: str) -> list[str]:
    return [row["text"] for row in json.loads(out)["texts"]]


def test_several_prompts_give_a_text_each(capsys, storage):
    options = ["--max-new-tokens", 6, "--seed", 1]
    prompts = ["--prompt", "ROMEO:", "--prompt", "JULIET:"]
    _, out, _ = call(capsys, storage, "gpt", *prompts, *options, "--json")
    texts = texts_of(out)
    assert [row["prompt"] for row in json.loads(out)["texts"]] == ["ROMEO:", "JULIET:"]
    assert [len(text) for text in texts] == [12, 13]
    code, out, err = call(capsys, storage, "gpt", *prompts, *options)
    assert (code, err) == (0, "")
    assert out == f"--- 1 of 2\n{texts[0]}\n--- 2 of 2\n{texts[1]}\n"


def test_prompts_come_from_a_file_line_by_line(capsys, storage, tmp_path):
    (tmp_path / "prompts.txt").write_text("ROMEO:\n\nJULIET:\n")
    options = ["--max-new-tokens", 3, "--temperature", 0, "--json"]
    _, from_file, _ = call(capsys, storage, "gpt", "--prompts", tmp_path / "prompts.txt", *options)
    _, given, _ = call(capsys, storage, "gpt", "--prompt", "ROMEO:", "--prompt", "JULIET:", *options)
    assert from_file == given


def test_a_search_gives_its_texts_with_their_scores(capsys, storage):
    _, out, _ = call(
        capsys, storage, "gpt", "--prompt", "a", "--max-new-tokens", 5, "--num-beams", 3, "--json"
    )
    found = json.loads(out)
    assert len(found["beams"]) == 3
    assert found["text"] == "a" + found["beams"][0]["text"]


def test_masks_are_shown_with_their_candidates(capsys, storage):
    prompt = ["--prompt", "to be or [MASK] to be"]
    code, out, err = call(capsys, storage, "bert", *prompt, "--top-predictions", 3)
    assert (code, err) == (0, "")
    text, *rows = out.splitlines()
    assert text.startswith("to be or")
    assert text.endswith(" to be")
    assert [row.split("\t")[0] for row in rows] == ["mask 1"] * 3
    _, as_json, _ = call(capsys, storage, "bert", *prompt, "--top-predictions", 3, "--json")
    (candidates,) = json.loads(as_json)["masks"]
    assert [row.split("\t")[1:] for row in rows] == [
        [f"{one['probability']:.2%}", repr(one["text"])] for one in candidates
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bert", "--prompt", "to be"], "prompt: holds no mask"),
        (["bert", "--prompt", "[MASK]", "--num-beams", "2"], "num_beams: BertForMaskedLM fills masks"),
        (["gpt", "--num-beams", "2"], "max_new_tokens: a search with num_beams stays within"),
        (["gpt", "--num-beams", "0"], "--num-beams"),
        (["gpt", "--prompts", "nowhere.txt"], "--prompts: cannot read nowhere.txt"),
        (["gpt", "--stdio", "--prompt", "a"], "--prompt: with --stdio, prompts arrive on the standard input"),
    ],
)
def test_what_cannot_be_done_is_refused(capsys, storage, arguments, says):
    code, _, err = call(capsys, storage, *arguments)
    assert code == 2
    assert says in err
    assert "Traceback" not in err
