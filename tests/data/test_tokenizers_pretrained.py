"""Tokenizers that were trained elsewhere: used as they are, or refused in one line."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from raylm.config import BadInput, discover
from raylm.data.tokenizers import END_OF_TEXT, Tokenizer, TrainedTokenizer
from raylm.data.tokenizers.byte_bpe import ByteBpe

discover("raylm.data.tokenizers")
SHAKESPEARE = Path(__file__).parents[2] / "examples/data/tinyshakespeare/input.txt.gz"
TEMPLATE = "chat_template.jinja"
TEXT = gzip.decompress(SHAKESPEARE.read_bytes()).decode()[:20_000]


@pytest.fixture
def folder(tmp_path):
    ByteBpe(vocab_size=300).train(iter([TEXT])).save(tmp_path)
    return tmp_path


def pretrained(path):
    return Tokenizer.model_validate({"kind": "pretrained", "path": str(path)})


def test_a_trained_tokenizer_is_used_as_it_is(folder):
    kind = pretrained(folder)
    trained = kind.train(iter([]))
    assert trained.files() == TrainedTokenizer.load(folder).files()
    assert trained.encode(TEXT[:100]) == TrainedTokenizer.load(folder).encode(TEXT[:100])
    assert not kind.reads_texts


def test_what_decides_a_trained_tokenizer_is_its_content_not_its_place(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert pretrained(copy).settings() == pretrained(folder).settings()
    config = copy / "tokenizer_config.json"
    config.write_text(config.read_text().replace("\n", ""))
    assert pretrained(copy).settings() != pretrained(folder).settings()


def spoiled(folder, name, change):
    file = folder / name
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))


def no_end(folder):
    spoiled(folder, "tokenizer_config.json", lambda config: config.pop("eos_token"))


def no_unknown(folder):
    model = {"type": "WordLevel", "vocab": {"a": 1, END_OF_TEXT: 0}, "unk_token": "<unk>"}
    spoiled(folder, "tokenizer.json", lambda values: values.update(model=model))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json cannot be read: No such file"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer.json is no tokenizer"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("{"), "config.json is no JSON"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("[]"), "holds no JSON object"),
        (no_end, "names no token that ends a text; give it an eos_token"),
        (no_unknown, "has no unknown token"),
    ],
)
def test_a_trained_tokenizer_that_cannot_be_used_is_one_clear_line(folder, spoil, message):
    spoil(folder)
    with pytest.raises(BadInput, match=message) as caught:
        pretrained(folder).train(iter([]))
    assert str(caught.value).startswith("tokenizer.path: ")
    assert "\n" not in str(caught.value)


def test_a_limit_inside_a_trained_tokenizer_cuts_no_text(folder):
    import tokenizers

    model = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    model.enable_truncation(4)
    model.enable_padding(length=500)
    model.save(str(folder / "tokenizer.json"))
    trained = pretrained(folder).train(iter([]))
    assert trained.decode(trained.encode(TEXT[:200])) == TEXT[:200]


def test_another_chat_template_is_another_tokenizer(folder):
    none = pretrained(folder).settings()
    (folder / TEMPLATE).write_text("{{ messages }}")
    one = pretrained(folder).settings()
    (folder / TEMPLATE).write_text("{{ messages[0] }}")
    assert none != one != pretrained(folder).settings() != none


def on_the_hub(folder, monkeypatch):
    """Let a folder stand for a model on the hub."""

    def download(name, file):
        if not (folder / file).exists():
            raise LocalEntryNotFoundError(f"{name} has no {file}")
        (folder / "cache").mkdir(exist_ok=True)
        return str(shutil.copy(folder / file, folder / "cache"))

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)


def test_a_chat_template_comes_from_the_hub_with_its_tokenizer(folder, monkeypatch):
    on_the_hub(folder, monkeypatch)
    (folder / TEMPLATE).write_text("{{ messages }}")
    assert pretrained("some/model").train(iter([])).config["chat_template"] == "{{ messages }}"


def test_a_model_on_the_hub_needs_no_chat_template(folder, monkeypatch):
    on_the_hub(folder, monkeypatch)
    assert "chat_template" not in pretrained("some/model").train(iter([])).config
    (folder / "tokenizer.json").unlink()
    with pytest.raises(BadInput, match=r"some/model cannot be loaded: some/model has no tokenizer.json"):
        pretrained("some/model").settings()
