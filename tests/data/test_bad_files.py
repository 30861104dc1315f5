"""What a person reads when a file cannot be used: the file, the line, what is wrong, what to do."""

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raylm.config import BadInput
from raylm.data import files
from raylm.data.sources import BadRow
from raylm.data.sources.csv import Csv
from raylm.data.sources.folder import Folder
from raylm.data.sources.jsonl import Jsonl
from raylm.data.sources.parquet import Parquet
from raylm.data.sources.text import Text

ONE = "(1 of 1 rows)"
FIELD = "name one of its fields, such as text.en"
OBJECTS = "write one object a line, or one list of objects"
GOOD = b'{"text": "a"}\n'


def read(source):
    return [row for item in source.inputs() for row in source.read(item)]


def first_problem(source):
    """Return the line that preparation would print: of the first bad row, or of the error."""
    try:
        row = next(row for row in read(source) if isinstance(row, BadRow))
    except BadInput as error:
        return str(error)
    return str(BadInput.one(row.field, row.message, row.mend, location=row.origin))


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the working directory, so that messages show its name alone."""
    monkeypatch.chdir(tmp_path)

    def put(name, content):
        (tmp_path / name).write_bytes(content)
        return name

    return put


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Text, "x.txt"), (Jsonl, "x.jsonl"), (Csv, "x.csv"), (Parquet, "x.parquet"), (Text, "x.txt.gz")],
)
def test_a_file_without_one_byte_is_named(write, kind, name):
    assert first_problem(kind(path=write(name, b""))) == f"path: no text in {name}, not one byte"


def test_bytes_that_are_no_utf8_are_named_by_byte_and_line(write):
    mend = "set the source's encoding, or errors: replace"
    text = write("x.txt", b"abc\nd\xff e\n")
    assert first_problem(Text(path=text)) == f"path (x.txt:2): byte 5 (line 2) is not UTF-8; {mend}"
    rows = write("x.jsonl", GOOD + b'{"text": "\xff"}\n' + GOOD)
    assert first_problem(Jsonl(path=rows)) == f"path (x.jsonl:2): byte 24 (line 2) is not UTF-8; {mend}"
    table = write("x.csv", b"text\na\n\xff\n")
    assert first_problem(Csv(path=table)) == f"path (x.csv:3): byte 7 (line 3) is not UTF-8; {mend}"


def test_a_line_that_is_no_utf8_leaves_the_others_readable(write):
    rows = read(Jsonl(path=write("x.jsonl", GOOD + b'{"text": "\xff"}\n' + GOOD), on_bad_row="skip"))
    assert [isinstance(row, BadRow) for row in rows] == [False, True, False]
    assert rows[2].origin == "x.jsonl:3"
    rows = read(Text(path=write("x.txt", b"a\n\xff\nb"), by="line"))
    assert [isinstance(row, BadRow) for row in rows] == [False, True, False]


def test_a_row_cut_off_at_the_end_is_told_from_one_in_the_middle(write):
    mend = "write one object a line, or one list of objects"
    why = "not JSON: unterminated string starting at in column 10"
    torn = write("torn.jsonl", GOOD * 3 + b'{"text": "b')
    assert first_problem(Jsonl(path=torn)) == f"path (torn.jsonl:4): {why} (file cut off?); {mend}"
    middle = write("middle.jsonl", GOOD * 2 + b'{"text": "b\n' + GOOD)
    problem = first_problem(Jsonl(path=middle))
    assert problem.startswith("path (middle.jsonl:3): not JSON: ")
    assert "cut off" not in problem


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (['{"text": "a"}', '{"text": null}', '{"text": null}'],
         "text_field (x.jsonl:2): text is null (2 of 3 rows)"),
        (['{"text": "a"}', '{"id": 1}', '{"text": "b"}'],
         "text_field (x.jsonl:2): text is missing (1 of 3 rows)"),
        (['{"text": "a"}', '{"text": 5}'],
         "text_field (x.jsonl:2): text: want text, got whole number (1 of 2 rows)"),
        (['{"text": NaN}'], "text_field (x.jsonl:1): text: want text, got number (1 of 1 rows)"),
        (['{"text": ["a"]}'],
         "text_field (x.jsonl:1): text: want text, got list (1 of 1 rows); name one item, such as text.0"),
        (['{"text": {"en": 1}}'],
         f"text_field (x.jsonl:1): text: want text, got object {ONE}; {FIELD}"),
        (["[1]", '{"text": "a"}'],
         "path (x.jsonl:2): something after the list; write one object a line, or one list of objects"),
        (['[{"text": "a"}, 1]'],
         f"path (x.jsonl:1): want an object, got whole number; {OBJECTS}"),
        (['"a"'],
         "path (x.jsonl:1): want an object, got text; write one object a line, or one list of objects"),
        (['{"id": ' + "1" * 5000 + "}"],
         "path (x.jsonl:1): a number of more than 4300 digits; quote it"),
    ],
)  # fmt: skip
def test_a_row_without_text_is_named_with_how_many_there_are(write, rows, problem):
    assert first_problem(Jsonl(path=write("x.jsonl", "\n".join(rows).encode()))) == problem


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["1", '"pos"'], "label: number in 1 row, text in 1 row (first at line 2)"),
        (["1", "2.5", "3", '"pos"', '"neg"'], "label: number in 3 rows, text in 2 rows (first at line 4)"),
        (["1" * 40], "label: too large for 64 bit (1 of 1 rows); quote it"),
        (["NaN", "1", "NaN"], "label is NaN (2 of 3 rows)"),
        (["null"], "label is null (1 of 1 rows)"),
    ],
)
def test_a_field_of_a_template_keeps_one_type(write, labels, problem):
    rows = "\n".join(f'{{"label": {label}}}' for label in labels)
    source = Jsonl(path=write("x.jsonl", rows.encode()), template="Label: {label}")
    assert first_problem(source).partition("): ")[2] == problem


def test_a_skipped_row_does_not_wait_for_the_count(write):
    content = GOOD + b'{"text": null}\n' + GOOD + b'{"text": null}\n'
    rows = read(Jsonl(path=write("x.jsonl", content), on_bad_row="skip"))
    assert [row.message for row in rows if isinstance(row, BadRow)] == ["text is null", "text is null"]
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"text,label\na,1\nb,2,3,4\n",
         "path (r.csv:3): 4 fields, header has 2; quote a field with a delimiter in it"),
        (b"text,label\na,1\nb\n",
         "path (r.csv:3): 1 field, header has 2; quote a field with a delimiter in it"),
        (b'text,label\n"never,1\nb,2\n',
         'path (r.csv:2): quote opened, never closed; close it, or set the source\'s quote: ""'),
        (b'text,label\n"a" b,1\n',
         "path (r.csv:2): not CSV: ',' expected after '\"'; double a quote inside quotes"),
        (b"text,text\na,b\n", "path (r.csv:1): 2 columns are called 'text'; rename one of them"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_even_is_named_by_line(write, content, problem):
    assert first_problem(Csv(path=write("r.csv", content))) == problem


def test_a_quote_that_is_not_closed_does_not_take_in_the_whole_file(write, monkeypatch):
    monkeypatch.setattr("raylm.data.sources.csv._LONGEST_ROW", 1 << 20)
    path = write("q.csv", b'text\na\n"open\n' + b"word " * 20 * 100_000 + b"\n" + b"b\n" * 1000)
    assert first_problem(Csv(path=path)).startswith("path (q.csv:3): quote opened, not closed within 1 MB")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_packed_file_that_is_cut_off_or_plain_is_named(write, suffix):
    rows = b"".join(json.dumps({"text": os.urandom(50).hex()}).encode() + b"\n" for _ in range(3000))
    packed = gzip.compress(rows) if suffix == ".gz" else pa.compress(rows, codec="zstd", asbytes=True)
    whole = Jsonl(path=write(f"g.jsonl{suffix}", packed))
    assert len(read(whole)) == 3000
    cut = first_problem(Jsonl(path=write(f"c.jsonl{suffix}", packed[: len(packed) // 2])))
    assert cut.startswith(f"path: c.jsonl{suffix} is cut off after ")
    assert cut.endswith(" bytes of text; copy it again")
    name = {".gz": "gzip", ".zst": "zstandard"}[suffix]
    plain = first_problem(Jsonl(path=write(f"p.jsonl{suffix}", GOOD)))
    assert plain == f"path: p.jsonl{suffix} is not {name}; rename it to p.jsonl"
    unnamed = first_problem(Jsonl(path=write("u.jsonl", packed)))
    assert unnamed == f"path: u.jsonl is {name}; rename it to u.jsonl{suffix}"


def test_a_missing_file_is_named_with_its_neighbours(write):
    write("train.jsonl", GOOD)
    assert (
        first_problem(Jsonl(path="trian.jsonl")) == "path: trian.jsonl does not exist; near it: train.jsonl"
    )
    assert first_problem(Jsonl(path="*.csv")) == "path: the pattern *.csv matches no file"


@pytest.mark.parametrize("kind", [Jsonl, Csv, Parquet])
def test_a_column_that_is_not_there_is_named_with_those_that_are(write, tmp_path, kind):
    path = f"x.{kind.model_fields['kind'].default}"
    if kind is Parquet:
        pq.write_table(pa.table({"text": ["a"], "label": ["b"]}), path)
    else:
        write(path, b"text,label\na,b\n" if kind is Csv else b'{"text": "a", "label": "b"}\n')
    problem = first_problem(kind(path=path, text_field="txt"))
    assert problem.startswith(f"text_field ({path}")
    assert problem.endswith("no 'txt'; columns are text, label; did you mean text?")
    problem = first_problem(kind(path=path, template="{label} {txt}"))
    assert problem.startswith(f"template ({path}")


def test_a_parquet_column_of_numbers_is_no_text(write):
    pq.write_table(pa.table({"text": [1, 2, 3]}), "x.parquet")
    problem = "text_field (x.parquet:1): text: want text, got whole number (3 of 3 rows)"
    assert first_problem(Parquet(path="x.parquet")) == problem


def test_a_parquet_file_that_is_cut_off_is_named(write):
    pq.write_table(pa.table({"text": [os.urandom(20).hex() for _ in range(1000)]}), "x.parquet")
    content = Path("x.parquet").read_bytes()
    message = "path: y.parquet is not Parquet, or is cut off; copy it again"
    assert first_problem(Parquet(path=write("y.parquet", content[:-100]))) == message
    damaged = content[:1000] + bytes(2000) + content[3000:]
    assert first_problem(Parquet(path=write("z.parquet", damaged))).startswith("path: z.parquet is damaged: ")


def test_a_mark_at_the_start_is_no_text_and_nul_stays(write):
    assert read(Jsonl(path=write("x.jsonl", b"\xef\xbb\xbf" + b'{"text": "a\\u0000b"}')))[0].text == "a\0b"
    assert read(Csv(path=write("x.csv", b"\xef\xbb\xbftext\r\na\0b\r\n")))[0].text == "a\0b"


def test_odd_text_is_accepted(write):
    texts = ["שלום 🙂 你好", "\u202eabc", "é\u0301", ""]
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts) + '{"text": "\\ud800"}\n'
    assert [row.text for row in read(Jsonl(path=write("x.jsonl", rows.encode())))] == [*texts, "\ud800"]


@pytest.mark.parametrize("kind", [Text, Jsonl, Csv, Parquet])
def test_what_is_no_regular_file_is_refused_without_opening_it(write, kind):
    os.mkfifo("fifo")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    assert first_problem(kind(path="fifo")) == "path: fifo is not a regular file"
    assert first_problem(kind(path="/dev/zero")) == "path: /dev/zero is not a regular file"
    assert first_problem(kind(path="loop")).startswith("path: loop cannot be read: ")
    assert first_problem(kind(path="folder")).startswith("path: folder is a folder; name its files")


def test_a_file_of_a_folder_that_is_no_text_is_a_bad_row(write):
    Path("docs").mkdir()
    write("docs/a.txt", b"good")
    write("docs/b.bin", b"\xff\xfe\x00")
    rows = read(Folder(path="docs"))
    assert rows[0].text == "good"
    assert rows[1].message == "byte 0 (line 1) is not UTF-8"
    assert "set the source's suffixes" in rows[1].mend
    assert len(read(Folder(path="docs", suffixes=["txt"]))) == 1
    assert first_problem(Folder(path="docs", suffixes=[".md"])) == "path: docs holds no file that ends in .md"
    assert first_problem(Folder(path="dogs")) == "path: dogs does not exist; near it: docs"
    assert first_problem(Folder(path="docs/a.txt")).startswith("path: docs/a.txt is no folder")


@pytest.mark.parametrize("block_bytes", [1, 3, 64])
def test_a_bad_row_is_named_the_same_whatever_the_blocks_read(write, monkeypatch, block_bytes):
    path = write("x.jsonl", GOOD * 5 + b'{"text": \xff}\n' + GOOD)
    whole = first_problem(Jsonl(path=path))
    assert "(x.jsonl:6): byte 79 (line 6)" in whole
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    assert first_problem(Jsonl(path=path)) == whole
