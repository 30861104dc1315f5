"""Sentences: where texts are cut, and that no id changes because of it."""

import gzip
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers

from raylm.config import BadInput, discover
from raylm.data import chunks as chunking
from raylm.data.chunks import chunks
from raylm.data.encoded_split import encode_pieces
from raylm.data.index import NAME, Index
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sentence_tokens import SentenceEncoder
from raylm.data.sentences import sentence_starts
from raylm.data.shards import Dataset
from raylm.data.sources.text import Text
from raylm.data.split import Piece
from raylm.data.tokenizers import LearnedTokenizer, Tokenizer, TrainedTokenizer
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.runs.folder import Folder

discover("raylm.data.tokenizers")
EXAMPLES = Path(__file__).parents[2] / "examples/data"
SHAKESPEARE = gzip.decompress((EXAMPLES / "tinyshakespeare/input.txt.gz").read_bytes()).decode()[:30_000]
ALICE = (EXAMPLES / "books/Lewis_Carroll_Alice_s_Adventures_in_Wonderland.md").read_text()[:30_000]
HARD = (
    'He said "No." Then\tleft.  Twice!\n\n“Yes?”  Émile était là.\r\n\r\nNaïve café. Ok.\n x\n\n'
    "   日本語。 Он. Она.\u00a0\nNew\x0c.\n\x1cOdd\x1c\n Odd. \n\nIf (x):\n\n    return {y};\n}\n\nEnd"
)
DOCUMENTS = [
    ALICE,
    HARD,
    "",
    " ",
    "\n\n",
    "one",
    "One. ",
    "A\n\n \x00",
    SHAKESPEARE,
    "no end. Of it",
    HARD * 3,
]
KINDS = sorted(kind for kind, each in Tokenizer.kinds.items() if issubclass(each, LearnedTokenizer))


def parts(text):
    ends = [0, *sentence_starts(text), len(text)]
    return [text[start:stop] for start, stop in pairwise(ends)]


@pytest.mark.parametrize(
    "expected",
    [
        ["One.", " Two!", " Three?", " Four."],
        ['He said "No."', " (She left.)", " 'Why?'", ' "So."', " [3] is next."],
        ["“One.”", " “Two.”", " «Trois.»", " ¿Qué?", " Émile était là."],
        ["Mr. Smith and Mrs. Jones met Dr. No at St. Paul's, i.e. Old St. Paul's, etc. They left."],
        ["It was J. R. R. Tolkien of the U.S. Army (cf. Fig. 3).", " It cost 3.14 or 2.71."],
        ["It stopped. then it went on, e.g. in London.", " End"],
        ["A line", "\nAnother one\nthat goes on", "\n\nand a blank line", "\n  \n  - a list", "\n- of two"],
        ["Ends.", "\r\n\r\nOf lines.", " \n Here"],
        ["Он пришёл.", " Она ушла. она."],
        ["שלום.", " מה נשמע?"],
        ["no marks at all", ],
        ["Trailing space. \n\n"],
        [""],
    ],
)  # fmt: skip
def test_prose_is_cut_where_sentences_end(expected):
    assert parts("".join(expected)) == expected


def test_every_cut_stands_between_a_sign_and_white_space():
    for text in DOCUMENTS:
        starts = sentence_starts(text)
        assert starts == sorted(set(starts))
        assert all(text[start] in " \n\r\t" and not text[start - 1].isspace() for start in starts)
        assert all(part.strip() for part in parts(text)) or not text.strip()
    assert len(sentence_starts(ALICE)) > 200


def learn(kind):
    size = {} if kind in ("character", "word") else {"vocab_size": 600}
    return Tokenizer.model_validate({"kind": kind, **size}).train(iter([ALICE, SHAKESPEARE]))


def trained(model, **config):
    model.add_special_tokens([AddedToken("<end>", special=True)])
    return TrainedTokenizer(model, {"eos_token": "<end>", **config})


def newlines_in_words():
    """Signs take the ends of lines after them, as in GPT-4's tokenizer."""
    model = tokenizers.Tokenizer(models.BPE())
    pattern = Regex(r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    split = pre_tokenizers.Split(pattern, "isolated")
    model.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    model.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    model.train_from_iterator([ALICE, SHAKESPEARE], trainer)
    return trained(model)


def sentence_pieces():
    """A blank is put before each text, rare characters are bytes, as in Llama's first tokenizer."""
    model = tokenizers.Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    steps = [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    model.normalizer = normalizers.Sequence(steps)
    rare = ["<unk>", *(f"<0x{number:02X}>" for number in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=rare, show_progress=False)
    model.train_from_iterator([line for line in ALICE.split("\n") if line], trainer)
    return trained(tokenizers.Tokenizer.from_str(model.to_str()))


def uncased():
    """BERT's: lower case, no accents, white space dropped."""
    model = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    model.normalizer, model.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[UNK]"], show_progress=False)
    model.train_from_iterator([ALICE, SHAKESPEARE], trainer)
    return trained(model, unk_token="[UNK]")


OTHERS = [newlines_in_words, sentence_pieces, uncased]


@pytest.fixture(params=[*KINDS, *OTHERS], ids=lambda kind: getattr(kind, "__name__", kind), scope="module")
def tokenizer(request):
    return learn(request.param) if request.param in KINDS else request.param()


@pytest.mark.parametrize("chunk_characters", [1 << 16, 3000])
@pytest.mark.parametrize("is_sole", [True, False], ids=["one_thread", "all_cores"])
def test_ids_are_those_of_the_texts_without_sentences(tokenizer, chunk_characters, is_sole, monkeypatch):
    monkeypatch.setattr(chunking, "CHUNK_CHARACTERS", chunk_characters)
    monkeypatch.setattr("raylm.data.trained_tokenizer.is_sole_thread", lambda: is_sole)
    fresh = TrainedTokenizer(tokenizer._model, tokenizer._config)
    found = encode_pieces([Piece("train", text, number != 3) for number, text in enumerate(DOCUMENTS)],
                          fresh, np.dtype("<u2"))  # fmt: skip
    expected = [np.concatenate(fresh.encode_batch([*chunks(text)])).tolist() for text in DOCUMENTS]
    expected = [ids + [fresh.eos_token_id] * (number != 3) for number, ids in enumerate(expected)]
    assert found.tokens.tolist() == [*chain.from_iterable(expected)]
    assert found.lengths.tolist() == list(map(len, expected))


def test_sentences_begin_with_their_own_first_token(tokenizer):
    texts = [text for text in DOCUMENTS if text.strip()]
    found = encode_pieces([Piece("train", text, True) for text in texts], tokenizer, np.dtype("<u2"))
    assert found.sentences.sum() == len(found.tokens)
    assert found.sentences.min() > 0
    starts = {0, *np.cumsum(found.sentences).tolist()}
    assert {0, *np.cumsum(found.lengths).tolist()} <= starts
    first = 0
    for text, length in zip(texts, found.lengths.tolist(), strict=True):
        tokens = [piece.start for piece in tokenizer.pieces(text)]
        wanted = {int(np.searchsorted(tokens, start)) for start in sentence_starts(text)} - {length - 1}
        assert {start - first for start in starts if first < start < first + length} == wanted - {0}
        first += length


def test_only_tokens_that_reach_over_a_cut_keep_sentences_from_being_encoded_alone(tokenizer, request):
    kind = request.node.callspec.params["tokenizer"]
    assert SentenceEncoder(tokenizer)._cuts_before_space == (kind in KINDS or kind is uncased)


def test_our_tokenizers_need_no_second_look_at_a_text_that_they_know(monkeypatch):
    monkeypatch.setattr(SentenceEncoder, "_places", lambda *_: pytest.fail("a text was encoded again"))
    for kind in KINDS:
        found = encode_pieces([Piece("train", ALICE, True)], learn(kind), np.dtype("<u2"))
        assert len(found.sentences) == len(parts(ALICE))


def test_a_dataset_knows_its_sentences(tmp_path):
    (tmp_path / "a.txt").write_text("One. Two! Three\n\nFour. Five.")
    (tmp_path / "b.txt").write_text("Six. Seven. " * 20)
    data = DataSection(
        sources=(Text(path=str(tmp_path / "a.txt"), by="paragraph"), Text(path=str(tmp_path / "b.txt"))),
        validation_share=0.1,
    )
    dataset = Dataset.open(prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "storage")).uri)
    for name, split in dataset.splits.items():
        offsets = split.sentence_offsets
        assert len(offsets) == split.num_sentences + 1 == dataset.index.splits[name].num_sentences + 1
        assert offsets[0] == 0
        assert offsets[-1] == split.num_tokens
        assert (np.diff(offsets) > 0).all()
        assert np.isin(split.document_offsets, offsets).all()
    split, decode = dataset.splits["train"], TrainedTokenizer.load(dataset.tokenizer_path).decode
    spans = [*pairwise(split.sentence_offsets.tolist())][:6]
    end = decode([dataset.eos_token_id])
    texts = [decode(split.read("tokens", *span).tolist()) for span in spans]
    assert texts == ["One.", " Two!", f" Three{end}", "Four.", f" Five.{end}", "Six."]


def test_a_dataset_of_before_there_were_sentences_is_refused(section, tmp_path, monkeypatch):
    folder = Folder.open(prepare(section, ByteBpe(vocab_size=400), str(tmp_path)).uri)
    index = Index.read(folder)
    folder.write(NAME, index.model_copy(update={"format": 2}).to_bytes())
    with pytest.raises(BadInput, match="has format 2; this raylm reads 4; run raylm prepare again"):
        Dataset.open(folder.local_path())
