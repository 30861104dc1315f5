import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from raylm.config import discover
from raylm.data.tokenizers import END_OF_TEXT, Tokenizer, TrainedTokenizer
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character

discover("raylm.data.tokenizers")
SHAKESPEARE = Path(__file__).parents[2] / "examples/data/tinyshakespeare/input.txt.gz"
TEXT = gzip.decompress(SHAKESPEARE.read_bytes()).decode()
SETTINGS = {"byte_bpe": {"vocab_size": 500}}


@pytest.fixture(params=sorted(Tokenizer.kinds))
def trained(request):
    kind = Tokenizer.kinds[request.param](**SETTINGS.get(request.param, {}))
    return kind.train(iter([TEXT[:20_000], TEXT[20_000:50_000]]))


HARD = [
    "",
    " ",
    "  two  spaces",
    "\n",
    "a\n\n\nb\n",
    " lead and trail ",
    "don't , . ! can ' t",
    "KING:\n\n  Go .",
]


@pytest.mark.parametrize("text", HARD)
def test_every_tokenizer_gives_the_text_back(trained, text):
    assert trained.decode(trained.encode(text)) == text


def test_transformers_loads_what_is_saved_and_agrees(trained, tmp_path):
    from transformers import AutoTokenizer

    trained.save(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in (*HARD, TEXT[:5000]):
        ids = loaded.encode(text)
        assert ids == trained.encode(text)
        assert loaded.decode(ids) == text
    assert loaded.eos_token_id == trained.eos_token_id
    assert len(loaded) == trained.vocab_size


def test_a_saved_tokenizer_loads_and_saves_the_same_bytes(trained, tmp_path):
    trained.save(tmp_path)
    assert TrainedTokenizer.load(tmp_path).files() == trained.files()


def test_the_end_of_text_written_in_a_text_is_only_text(trained):
    assert trained.eos_token_id not in trained.encode(f"a{END_OF_TEXT}b")


def test_a_batch_has_the_ids_of_its_texts(trained):
    assert [ids.tolist() for ids in trained.encode_batch(HARD)] == [trained.encode(text) for text in HARD]


def test_a_batch_of_a_corpus_is_encoded_fast():
    import time

    trained = Character().train(iter([TEXT]))
    start = time.process_time()
    (ids,) = trained.encode_batch([TEXT])
    assert time.process_time() - start < 2  # CPU-seconds; 0.1 when the machine is quiet
    assert trained.decode(ids.tolist()) == TEXT


def test_characters_are_tokens_and_others_are_unknown():
    trained = Character().train(iter(["abc", "cé🙂"]))
    assert trained.vocab_size == 5 + 2
    assert trained.encode("abé") == [0, 1, 3]
    assert trained.encode("xy") == [trained.unk_token_id] * 2


def test_bytes_give_back_any_unicode_text():
    trained = ByteBpe(vocab_size=300).train(iter([TEXT[:20_000]]))
    draw = random.Random(4)
    for _ in range(200):
        codes = [draw.randrange(0x110000) for _ in range(20)] + [draw.randrange(128) for _ in range(20)]
        draw.shuffle(codes)
        text = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        assert trained.decode(trained.encode(text)) == text
    assert trained.unk_token_id is None


def test_a_vocabulary_without_room_for_the_bytes_is_refused():
    with pytest.raises(ValidationError, match="5 is below the 257"):
        ByteBpe(vocab_size=5)
    assert ByteBpe(vocab_size=257).train(iter(["ab"])).vocab_size == 257


def test_a_vocabulary_larger_than_the_corpus_gives_is_noted():
    kind = ByteBpe(vocab_size=50_000)
    trained = kind.train(iter(["abab abab"]))
    (note,) = kind.notes(trained)
    assert f"asked 50000, the corpus gives {trained.vocab_size}" in note


def test_another_process_learns_the_same_tokenizer(tmp_path):
    code = (
        "import gzip, hashlib, sys; from raylm.data.tokenizers.byte_bpe import ByteBpe;"
        "text = gzip.open(sys.argv[1], 'rt', newline='').read()[:200_000];"
        "files = ByteBpe(vocab_size=1000).train(iter([text])).files();"
        "print(hashlib.sha256(files['tokenizer.json']).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(SHAKESPEARE)]
    digests = {
        subprocess.run(
            command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
