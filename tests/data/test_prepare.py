import hashlib
import itertools
import json
import uuid

import pytest

from raylm.config import BadInput
from raylm.data.fetch import fetch
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.sources.text import Text
from raylm.data.tokenizers import TrainedTokenizer
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.runs.folder import Folder


@pytest.fixture(params=["local", "memory"])
def storage(request, tmp_path):
    return str(tmp_path / "storage") if request.param == "local" else f"memory://{uuid.uuid4().hex}"


def files_of(uri):
    return {path.relative_to(uri): path.read_bytes() for path in sorted(uri.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("tokenizer", [Character(), ByteBpe(vocab_size=400)], ids=lambda one: one.kind)
@pytest.mark.parametrize("split_by", ["position", "document"])
def test_the_tokens_are_the_documents(section, corpus, storage, tmp_path, tokenizer, split_by):
    section = section.model_copy(update={"split_by": split_by})
    prepared = prepare(section, tokenizer, storage)
    dataset = Dataset.open(fetch(prepared.uri, tmp_path / "cache"))
    trained = TrainedTokenizer.load(dataset.tokenizer_path)
    texts = []
    for split in dataset.splits.values():
        offsets = split.document_offsets
        assert offsets[-1] == split.num_tokens
        decoded = [
            trained.decode(split.read("tokens", int(start), int(stop)).tolist())
            for start, stop in itertools.pairwise(offsets)
        ]
        assert split.num_bytes == sum(len(text.removesuffix("<|endoftext|>").encode()) for text in decoded)
        texts += decoded
    paragraphs = corpus.read_text(encoding="utf-8").split("\n\n")
    assert sorted("".join(texts).split("<|endoftext|>")[:-1]) == sorted(paragraphs)
    assert prepared.index.num_documents == len(paragraphs)


def test_a_second_time_the_dataset_is_reused(section, storage):
    first = prepare(section, Character(), storage)
    stages = []
    second = prepare(section, Character(), storage, lambda now: stages.append(now.stage))
    assert (first.is_reused, second.is_reused) == (False, True)
    assert first.index == second.index
    assert set(stages) == {"checking files"}


def test_the_digest_follows_content_and_settings_and_nothing_else(section, corpus, tmp_path):
    storage = str(tmp_path / "storage")
    moved = tmp_path / "moved.txt"
    moved.write_bytes(corpus.read_bytes())
    (source,) = section.sources

    def digest(tokenizer=None, **changes):
        return prepare(section.model_copy(update=changes), tokenizer or Character(), storage).digest

    first = digest()
    assert digest(sources=(source.model_copy(update={"path": str(moved)}),)) == first
    assert digest(cache_path="elsewhere") == first
    assert digest(num_workers=2) == first
    assert digest(sources=(source.model_copy(update={"by": "line"}),)) == first  # the same documents
    others = [
        digest(ByteBpe(vocab_size=300)),
        digest(ByteBpe(vocab_size=301)),
        digest(validation_share=0.2),
        digest(split_by="document"),
        digest(sources=(source.model_copy(update={"by": "file"}),)),
        digest(sources=(source, source)),
    ]
    moved.write_bytes(corpus.read_bytes() + b".")
    others.append(digest(sources=(source.model_copy(update={"path": str(moved)}),)))
    assert len({first, *others}) == len(others) + 1


def test_the_same_text_gives_the_same_bytes(section, tmp_path):
    one, two = (
        Folder.open(prepare(section, ByteBpe(vocab_size=400), str(tmp_path / name)).uri) for name in "ab"
    )
    assert files_of(one.local_path()) == files_of(two.local_path())


def test_the_index_names_every_file_with_its_sha256(section, tmp_path):
    prepared = prepare(section, Character(), str(tmp_path))
    stored = files_of(Folder.open(prepared.uri).local_path())
    listed = {file.name: file for file in prepared.index.all_files()}
    assert {str(name) for name in stored} == {*listed, *prepared.index.reports, "index.json"}
    for name, content in stored.items():
        if str(name) in listed:
            assert listed[str(name)].bytes == len(content)
            assert listed[str(name)].sha256 == hashlib.sha256(content).hexdigest()


def test_the_ledger_says_where_the_text_came_from(section, corpus, tmp_path):
    source = section.sources[0].model_copy(update={"licence": "CC0-1.0", "origin": "https://example.org"})
    prepared = prepare(DataSection(sources=(source, source)), Character(), str(tmp_path / "storage"))
    ledger = json.loads(Folder.open(prepared.uri).read("ledger.json"))
    for entry in ledger["sources"]:
        assert entry["licence"] == "CC0-1.0"
        assert entry["origin"] == "https://example.org"
        assert (entry["inputs"], entry["bytes"]) == (1, corpus.stat().st_size - 2 * 799)  # blank lines
        assert entry["documents"] == 800
    one, two = ledger["sources"]
    assert one["digest"] == two["digest"]
    for name, split in prepared.index.splits.items():
        assert one["tokens"][name] + two["tokens"][name] == split.num_tokens


def test_long_documents_in_many_chunks_are_encoded_as_one(tmp_path, monkeypatch):
    text = "".join(f"line {number} of  many.\n\n" for number in range(2000))
    (tmp_path / "x.txt").write_text(text)
    data = DataSection(sources=(Text(path=str(tmp_path / "x.txt")),), validation_share=0.0)
    whole = prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "one"))
    monkeypatch.setattr("raylm.data.chunks.CHUNK_CHARACTERS", 2000)
    monkeypatch.setattr("raylm.data.encoded_split._BATCH_CHARACTERS", 5000)
    cut = prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "two"))
    assert files_of(Folder.open(whole.uri).local_path()) == files_of(Folder.open(cut.uri).local_path())


def test_only_the_training_text_shapes_the_tokenizer(tmp_path):
    (tmp_path / "x.txt").write_text("a" * 90 + "b" * 10)
    prepared = prepare(DataSection(sources=(Text(path=str(tmp_path / "x.txt")),)), Character(), str(tmp_path))
    assert prepared.index.vocab_size == 3
    assert any("10 tokens are unknown" in note for note in prepared.index.notes)


def test_a_vocabulary_beyond_16_bits_takes_32(tmp_path):
    characters = [chr(code) for code in range(0x20, 0x20000) if not 0xD800 <= code < 0xE000]
    (tmp_path / "x.txt").write_text("".join(characters), encoding="utf-8", newline="")
    data = DataSection(sources=(Text(path=str(tmp_path / "x.txt")),), validation_share=0.0)
    prepared = prepare(data, Character(), str(tmp_path))
    assert prepared.index.dtype == "uint32"
    dataset = Dataset.open(fetch(prepared.uri))
    trained = TrainedTokenizer.load(dataset.tokenizer_path)
    ids = dataset.splits["train"].read("tokens", 0, len(characters))
    assert trained.decode(ids.tolist()) == "".join(characters)


def test_blank_documents_nuls_and_long_documents_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("raylm.data.notes.LONG_DOCUMENT_BYTES", 50)
    (tmp_path / "x.txt").write_text("one\n\n   \n\0\nt\0wo\n" + "long " * 20)
    data = DataSection(sources=(Text(path=str(tmp_path / "x.txt"), by="line"),))
    prepared = prepare(data, Character(), str(tmp_path))
    assert prepared.index.num_documents == 3
    (entry,) = json.loads(Folder.open(prepared.uri).read("ledger.json"))["sources"]
    assert entry["read"] == {"documents": 3, "bytes": 3 + 4 + 100}
    assert any("1 NUL characters" in note for note in prepared.index.notes)
    assert any("x.txt:6: one document of" in note for note in prepared.index.notes)


@pytest.mark.parametrize("content", [b"", b" \n\t\n\n", b"\0\0\0\0", b"\xef\xbb\xbf"])
def test_a_source_without_text_is_an_error(tmp_path, content):
    (tmp_path / "good.txt").write_text("text")
    (tmp_path / "x.txt").write_bytes(content)
    sources = (Text(path=str(tmp_path / "good.txt")), Text(path=str(tmp_path / "x.txt")))
    with pytest.raises(BadInput) as caught:
        prepare(DataSection(sources=sources), Character(), str(tmp_path))
    (problem,) = caught.value.problems
    assert problem.field == "data.sources.1.path"
    assert f"no text in {tmp_path}/x.txt" in problem.message


@pytest.mark.parametrize(
    ("text", "settings"),
    [("a", {}), ("one document", {"split_by": "document"}), ("ab", {"validation_share": 0.9})],
)
def test_a_split_that_stays_empty_is_an_error(tmp_path, text, settings):
    (tmp_path / "x.txt").write_text(text)
    data = DataSection(sources=(Text(path=str(tmp_path / "x.txt")),), **settings)
    with pytest.raises(BadInput, match=r"leaves the (train|validation) split empty"):
        prepare(data, Character(), str(tmp_path / "storage"))
    assert [path.name for path in (tmp_path / "storage" / "datasets").iterdir()] == [".work"]


def test_a_given_dataset_is_used_as_it_is(section, tmp_path):
    made = prepare(section, Character(), str(tmp_path / "storage"))
    given = prepare(DataSection(path=made.uri), Character(), str(tmp_path / "other"))
    assert (given.uri, given.digest, given.is_reused) == (made.uri, made.digest, True)
    assert not (tmp_path / "other").exists()


def test_a_given_dataset_of_another_tokenizer_is_refused(section, tmp_path):
    made = prepare(section, Character(), str(tmp_path / "storage"))
    with pytest.raises(BadInput, match=r"with .*kind character, the recipe says .*kind byte_bpe"):
        prepare(DataSection(path=made.uri), ByteBpe(), str(tmp_path))


def test_a_damaged_dataset_is_made_again(section, tmp_path):
    made = prepare(section, Character(), str(tmp_path))
    Folder.open(made.uri).local_path("train/tokens-00000.bin").unlink()
    again = prepare(section, Character(), str(tmp_path))
    assert not again.is_reused
    assert again.index == made.index
    Dataset.open(again.uri)


def test_progress_counts_every_byte_of_each_stage(section, corpus, tmp_path):
    seen = []
    prepare(section, ByteBpe(vocab_size=300), str(tmp_path), seen.append)
    last = {now.stage: now for now in seen}
    assert list(last) == ["checking files", "reading", "learning the tokenizer", "encoding", "writing"]
    assert all(now.done == now.total for now in last.values())
    assert last["checking files"].done == corpus.stat().st_size
    assert last["encoding"].eta_seconds == 0


def test_lone_surrogates_are_replaced_and_counted(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"ab+2AA-cd" * 20)  # UTF-7 can write one
    source = Text(path=str(tmp_path / "x.txt"), encoding="utf-7")
    prepared = prepare(DataSection(sources=(source,)), Character(), str(tmp_path))
    assert any("20 characters could not be read" in note for note in prepared.index.notes)


def test_a_file_that_grows_while_it_is_read_is_an_error(section, corpus, tmp_path):
    def grow(now):
        if now.stage == "reading" and not now.done:
            with corpus.open("a") as file:
                file.write("\n\nmore")

    with pytest.raises(BadInput, match="changed while it was read"):
        prepare(section, Character(), str(tmp_path / "storage"), grow)
    again = prepare(section, Character(), str(tmp_path / "storage"))
    assert again.index.num_documents == 801
