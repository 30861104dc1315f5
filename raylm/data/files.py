"""Finding and reading text files, with an error that names the file, the byte and the line."""

from __future__ import annotations

import codecs
import glob
import gzip
import stat
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from raylm.config.errors import BadInput
from raylm.config.near import nearest

BLOCK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def find_files(patterns: Sequence[str]) -> tuple[Path, ...]:
    """Return the regular files that names and patterns stand for: each once, patterns in alphabetical order.

    Raises:
        BadInput: a name is missing or is no regular file, or a pattern matches nothing.
    """
    found = chain.from_iterable(_expand(pattern) for pattern in patterns)
    return tuple(dict.fromkeys(found))


def _expand(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_symlink() or path.exists() or not glob.has_magic(pattern):
        return [_checked(path)]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
    files = [_checked(match) for match in matches if not match.is_dir()]
    if not files:
        raise BadInput.one("path", f"the pattern {pattern} matches no file", code="no-match")
    return files


def _checked(path: Path) -> Path:
    """Return the path if it can be read like a file; opening a FIFO or a device would hang or never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise BadInput.one("path", f"{path} does not exist", _near(path), code="missing") from None
    except OSError as error:  # a loop of links, a name that is too long, no permission
        raise BadInput.one("path", f"{path} cannot be read: {error.strerror}", code="unreadable") from None
    if stat.S_ISDIR(mode):
        raise BadInput.one(
            "path", f"{path} is a folder", f"name its files, such as {path}/*.txt", code="folder"
        )
    if not stat.S_ISREG(mode):
        raise BadInput.one("path", f"{path} is not a regular file", code="not-a-file")
    return path


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = nearest(path.name, (entry.name for entry in path.parent.iterdir()), count=3)
    return f"near it: {', '.join(names)}" if names else ""


def read_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> Iterator[str]:
    """Yield the text of a file block by block, without its byte-order mark.

    Raises:
        BadInput: the bytes do not fit the encoding, or a .gz file is cut off or is none.
    """
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else encoding)(errors)
    num_bytes = num_lines = 0
    for block in chain(read_bytes(path), [b""]):
        num_bytes += len(block)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # What could not be decoded ends where the block ends.
            start = num_bytes - len(error.object) + error.start
            line = num_lines + error.object[: error.start].count(b"\n") + 1
            raise _not_text(path, start, line, encoding) from None
        num_lines += text.count("\n")
        yield text


def _not_text(path: Path, start: int, line: int, encoding: str) -> BadInput:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP_MAGIC
    if is_gzip and path.suffix != ".gz":
        return BadInput.one("path", f"{path} is gzip", f"rename it to {path.name}.gz", code="gzip")
    message = f"byte {start} (line {line}) is not {encoding.upper()}"
    mend = "set the source's encoding, or errors: replace"
    return BadInput.one("path", message, mend, location=f"{path}:{line}", code="encoding")


def read_bytes(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file block by block, unpacked if its name ends in .gz."""
    num_bytes = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                num_bytes += len(block)
                yield block
    except gzip.BadGzipFile as error:
        raise _bad_gzip(path, error) from None
    except EOFError:
        message = f"{path} is cut off after {num_bytes} bytes of text"
        raise BadInput.one("path", message, "copy it again", code="cut-off") from None
    except zlib.error as error:
        raise BadInput.one("path", f"{path} is damaged: {error}", "copy it again", code="damaged") from None
    except OSError as error:
        raise BadInput.one("path", f"{path} cannot be read: {error.strerror}", code="unreadable") from None


def _bad_gzip(path: Path, error: gzip.BadGzipFile) -> BadInput:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP_MAGIC
    if is_gzip:
        return BadInput.one("path", f"{path} is damaged: {error}", "copy it again", code="damaged")
    return BadInput.one("path", f"{path} is not gzip", f"rename it to {path.stem}", code="not-gzip")
