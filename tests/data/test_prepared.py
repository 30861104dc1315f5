"""What a person asks of prepared data: whether it is there, what the tokenizer saw, what validation holds."""

import uuid

import pytest

from raylm.config import BadInput
from raylm.data.fetch import fetch
from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.prepare import find_prepared, prepare, training_texts
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.sources.text import Text
from raylm.data.tokenizers import TrainedTokenizer
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.data.tokenizers.word import Word
from tests.data.corpora import files_of, filtered

TOKENIZER = ByteBpe(vocab_size=300)


def texts_of(made, split):
    """Return the documents of a split as their tokens say."""
    dataset = Dataset.open(fetch(made.uri))
    trained = TrainedTokenizer.load(dataset.tokenizer_path)
    tokens = dataset.splits[split].read("tokens", 0, dataset.splits[split].num_tokens).tolist()
    return trained.decode(tokens).split("<|endoftext|>")[:-1]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "texts").mkdir()
    return filtered(tmp_path / "texts", num_workers=1)


@pytest.mark.parametrize("kind", ["character", "byte_bpe"])
@pytest.mark.parametrize(
    "settings", [{"split_by": "document"}, {"split_by": "position"}, {"validation_share": 0}]
)
def test_training_texts_are_what_the_tokenizer_learned_from(data, tmp_path, monkeypatch, kind, settings):
    data = data.model_copy(update=settings)
    tokenizer = {"character": Character(), "byte_bpe": TOKENIZER}[kind]
    seen = []
    train = type(tokenizer).train

    def watched(self, texts):
        return train(self, (seen.append(text) or text for text in texts))

    monkeypatch.setattr(type(tokenizer), "train", watched)
    made = prepare(data, tokenizer, str(tmp_path / "storage"))
    assert seen == list(training_texts(data, str(tmp_path / "storage")))
    assert seen == list(training_texts(data, str(tmp_path / "fresh")))
    joined = "".join(seen)
    assert "@example.org" not in joined
    split = Dataset.open(made.uri).splits["train"]
    assert split.num_bytes == len(joined.encode())


def test_data_that_is_prepared_is_found_and_nothing_is_made_to_know(data, tmp_path):
    storage = tmp_path / "storage"
    assert find_prepared(data, TOKENIZER, str(storage)) is None
    assert not storage.exists()
    made = prepare(data, TOKENIZER, str(storage))
    found = find_prepared(data, TOKENIZER, str(storage))
    assert (found.uri, found.index, found.is_reused) == (made.uri, made.index, True)
    assert find_prepared(data, Character(), str(storage)) is None
    assert find_prepared(data.model_copy(update={"filters": ()}), TOKENIZER, str(storage)) is None
    assert find_prepared(data.model_copy(update={"num_workers": 4}), TOKENIZER, str(storage)) is not None


def test_an_object_store_gives_the_same_dataset(data, tmp_path):
    here = prepare(data, TOKENIZER, str(tmp_path / "storage"))
    storage = f"memory://{uuid.uuid4().hex}"
    there = prepare(data, TOKENIZER, storage)
    assert there.index == here.index
    assert find_prepared(data, TOKENIZER, storage).uri == there.uri
    copied = files_of(fetch(there.uri, tmp_path / "cache"))
    assert copied == {name: content for name, content in files_of(here.uri).items() if name in copied}
    other = prepare(data, Character(), storage)
    assert (other.is_reused, other.index.num_documents) == (False, here.index.num_documents)


def test_data_is_made_where_the_path_says_and_used_from_there(data, tmp_path):
    given = data.model_copy(update={"path": str(tmp_path / "given")})
    made = prepare(given, TOKENIZER, str(tmp_path / "storage"))
    assert made.uri == str(tmp_path / "given")
    assert made.index == prepare(data, TOKENIZER, str(tmp_path / "other")).index
    (tmp_path / "texts" / "book0.txt").write_text("changed")
    # A run takes what is there; only `raylm prepare` makes it anew.
    assert prepare(given, TOKENIZER, str(tmp_path / "storage")).digest == made.digest
    assert find_prepared(given, TOKENIZER, str(tmp_path / "storage")).digest == made.digest
    renewed = prepare(given, TOKENIZER, str(tmp_path / "storage"), is_renewed=True)
    assert (renewed.uri, renewed.is_reused) == (made.uri, False)
    assert renewed.digest != made.digest
    assert prepare(given, TOKENIZER, str(tmp_path / "storage"), is_renewed=True).is_reused


def test_a_folder_with_other_files_is_not_replaced(data, tmp_path):
    (tmp_path / "given" / "train").mkdir(parents=True)
    (tmp_path / "given" / "train" / "photo.jpg").write_bytes(b"dear")
    with pytest.raises(BadInput, match="is not empty and holds no dataset"):
        prepare(
            data.model_copy(update={"path": str(tmp_path / "given")}), TOKENIZER, str(tmp_path / "storage")
        )
    assert (tmp_path / "given" / "train" / "photo.jpg").read_bytes() == b"dear"


def test_validation_from_a_named_source_is_that_source(tmp_path):
    (tmp_path / "train.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "held.txt").write_text("four\nfive\n")
    (tmp_path / "more.txt").write_text("six\nseven\n")
    train, held, more = (
        Text(path=str(tmp_path / f"{name}.txt"), by="line") for name in ("train", "held", "more")
    )
    sources = (train, held.model_copy(update={"split": "validation"}), more)
    data = DataSection(sources=sources, validation_share=0)
    made = prepare(data, Character(), str(tmp_path / "storage"))
    assert texts_of(made, "train") == ["one", "two", "three", "six", "seven"]
    assert made.index.sources[1].num_documents == {"train": 0, "validation": 2}
    assert made.index.splits["validation"].num_documents == 2
    sides = [tuple(source.num_documents.values()) for source in made.index.sources]
    assert sides == [(3, 0), (0, 2), (2, 0)]


def test_a_named_split_that_is_empty_names_the_sources(tmp_path):
    (tmp_path / "x.txt").write_text("one\ntwo\n")
    source = Text(path=str(tmp_path / "x.txt"), split="validation")
    with pytest.raises(BadInput, match=r"data\.sources: nothing is left of the sources with split: train"):
        prepare(DataSection(sources=(source,)), Character(), str(tmp_path / "storage"))


@pytest.fixture
def overlapping(tmp_path):
    (tmp_path / "train.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "held.txt").write_text("two\nfour\nthree\ntwo\n")
    train, held = (
        Text(path=str(tmp_path / f"{name}.txt"), by="line", licence="MIT") for name in ("train", "held")
    )
    return DataSection(sources=(train, held.model_copy(update={"split": "validation"})), validation_share=0)


def test_validation_documents_that_are_in_training_are_counted(overlapping, tmp_path):
    made = prepare(overlapping, Word(), str(tmp_path / "storage"))
    note = "3 of 4 validation documents are also in train; the filter exact_duplicates drops them"
    assert note in made.index.notes


def test_they_are_refused_when_the_recipe_says_so(overlapping, tmp_path):
    data = overlapping.model_copy(update={"on_overlap": "fail"})
    storage = str(tmp_path / "storage")
    prepare(overlapping, Word(), storage)  # what was noted before is refused all the same
    with pytest.raises(BadInput) as caught:
        prepare(data, Word(), storage)
    assert str(caught.value).startswith("data.on_overlap: 3 of 4 validation documents are also in train; ")
    made = prepare(data.model_copy(update={"filters": (ExactDuplicates(),)}), Word(), storage)
    assert made.index.splits["validation"].num_documents == 1
