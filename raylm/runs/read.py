"""Reading a run while it is written: by cursor, without locks, tolerating a torn last line."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.runs.events import merged_events
from raylm.runs.lines import parse_line, whole_lines
from raylm.runs.records import metric
from raylm.runs.run import Run
from raylm.runs.segments import segments

Records = list[dict[str, Any]]
_RANK_LOG = re.compile(r"rank-(?P<rank>\d+)-a(?P<attempt>\d+)\.log")
_MAX_LINE = 4096  # characters of a log line that are shown
_MAX_ANCESTORS = 64
_TAIL = 1 << 20  # bytes of a log in which its last lines are looked for: a log may be a gigabyte
_SEEN = 256  # bytes at a segment's start and end by which it is known again
# Terminal control sequences (colours, links), C0 and C1 controls but the tab, characters that reorder text,
# as the screens take out (views/src/text.ts), and halves of characters, which no terminal can be sent.
_UNSAFE = re.compile(
    r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\^_]"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def read(run: Run, stream: str, cursor: str | None = None, limit: int = 1000) -> tuple[Records, str]:
    """Return up to `limit` records behind the cursor, and the cursor behind them.

    `stream` is `metrics`, `events` or `logs/<name>`. Start with None; ask again with the cursor returned; an
    empty answer means nothing new yet. Metrics of a fork begin with its parents' up to the fork, marked with
    `run_id`; where a step comes twice, the record with the newer attempt counts. A log record is
    `{"line": text}`.

    Raises:
        BadInput: there is no such stream or log, or the cursor is of another one.
    """
    place = _decode(cursor, stream)
    if stream == "metrics":
        records, place = _read_metrics(run, place, limit)
    elif stream == "events":
        records, place = merged_events(run.folder, place, limit)
    elif stream.startswith("logs/"):
        records, place = _read_log(run, stream, place, limit)
    else:
        raise BadInput.one("stream", f"{stream!r} is not metrics, events or logs/<name>", code="stream")
    return records, _encode(place, stream)


def fingerprint(run: Run, cursor: str) -> str:
    """Return a text that stays the same while the metrics before the cursor do.

    Seen are the names of the segments, and the first and last bytes of each attempt's newest one: appending
    changes nothing, cutting or replacing a segment does.
    """
    place = _decode(cursor, "metrics")
    files = [(part, name) for part in _lineage(run) for name in part.names]
    keys = [(part.run.run_id, name) for part, name in files]
    at = (str(place.get("run")), str(place.get("file")))
    last = keys.index(at) if at in keys else -1
    seen = hashlib.sha256()
    for index, (part, name) in enumerate(files[: last + 1]):
        seen.update(f"{part.run.run_id}/{name} {part.last_step}\n".encode())
        is_newest = index == last or name.split("-")[1] != files[index + 1][1].split("-")[1]
        if is_newest:
            end = int(place["offset"]) if index == last else part.run.folder.size(name)
            seen.update(part.run.folder.read(name, 0, min(end, _SEEN)))
            seen.update(part.run.folder.read(name, max(0, end - _SEEN), end))
    return seen.hexdigest()


def log_names(run: Run) -> list[str]:
    """Return the run's log files, the most telling first: rank 0 of the newest attempt."""
    names = [name for name in run.folder.names("logs") if name.endswith(".log")]
    return sorted(names, key=_log_order)


def _log_order(name: str) -> tuple[int, int, str]:
    match = _RANK_LOG.fullmatch(name)
    return (-int(match["attempt"]), int(match["rank"]), name) if match else (0, 0, name)


def curve(run: Run, key: str) -> list[tuple[int, float]]:
    """Return one metric by step, ascending: one value a step, newest attempt winning, parents first.

    An attempt that begins at step s replaces everything older attempts measured from s on.
    """
    points: list[tuple[int, float]] = []
    for part in _lineage(run):
        begun = None
        for name in part.names:
            attempt = name.split("-")[1]
            for record in _records_with(part, name, key, is_new=attempt != begun):
                step = record["step"]
                if attempt != begun:
                    begun = attempt
                    _cut(points, step)
                if (value := metric(record, key)) is not None:
                    _cut(points, step)
                    points.append((step, value))
    return points


class _Part(NamedTuple):
    """A run's share of a curve: its own segments, or an ancestor's up to the step of the fork."""

    run: Run
    names: list[str]
    last_step: int | None


def _lineage(run: Run) -> list[_Part]:
    """Return the run's ancestors, oldest first, and the run itself."""
    parts: list[_Part] = []
    bound: int | None = None
    current: Run | None = run
    while current is not None and len(parts) < _MAX_ANCESTORS:
        parts.append(_Part(current, [segment.name for segment in segments(current.folder)], bound))
        parent = _parent_of(current)
        if parent:
            bound = parent["step"] if bound is None else min(bound, parent["step"])
        current = _open_or_none(parent["uri"]) if parent else None
    return parts[::-1]


def _parent_of(run: Run) -> dict[str, Any] | None:
    try:
        return run.header().get("parent")
    except BadInput:
        return None


def _open_or_none(uri: str) -> Run | None:
    try:
        return Run.from_uri(uri)
    except BadInput:
        return None  # the parent was moved; the run's own part still reads


def _read_metrics(run: Run, place: dict[str, Any], limit: int) -> tuple[Records, dict[str, Any]]:
    files = [(part, name) for part in _lineage(run) for name in part.names]
    keys = [(part.run.run_id, name) for part, name in files]
    at = (str(place.get("run")), str(place.get("file")))
    index = keys.index(at) if at in keys else 0
    offset = int(place.get("offset") or 0) if at in keys else 0
    records: Records = []
    while index < len(files):
        part, name = files[index]
        lines = whole_lines(part.run.folder, name, offset, limit - len(records))
        records += _kept(part, (line.data for line in lines), is_inherited=part.run is not run)
        offset = lines[-1].end if lines else offset
        place = {"run": part.run.run_id, "file": name, "offset": offset}
        if len(records) >= limit:
            break
        if not lines:  # the end of this file; a later one, if there is one, means that no more comes
            index, offset = index + 1, 0
    return records, place


def _kept(part: _Part, lines: Iterable[bytes], *, is_inherited: bool) -> Iterator[dict[str, Any]]:
    for line in lines:
        record = parse_line(line)
        if record is None or not isinstance(record.get("step"), int):
            continue
        if part.last_step is None or record["step"] <= part.last_step:
            yield {**record, "run_id": part.run.run_id} if is_inherited else record


def _records_with(part: _Part, name: str, key: str, *, is_new: bool) -> Iterator[dict[str, Any]]:
    """Yield the file's records that have the metric, and the first one if it begins an attempt."""
    wanted = json.dumps(key).encode()
    offset = 0
    while lines := whole_lines(part.run.folder, name, offset, limit=1_000_000):
        chosen = (line.data for line in lines if is_new or wanted in line.data)
        for record in _kept(part, chosen, is_inherited=False):
            is_new = False
            yield record
        offset = lines[-1].end


def _cut(points: list[tuple[int, float]], step: int) -> None:
    while points and points[-1][0] >= step:
        points.pop()


def _read_log(run: Run, stream: str, place: dict[str, Any], limit: int) -> tuple[Records, dict[str, Any]]:
    offset = int(place.get("offset") or 0)
    try:
        lines = whole_lines(run.folder, stream, offset, limit)
    except FileNotFoundError:
        raise _no_log(run, stream) from None
    records = [{"line": clean(line.data.decode(errors="replace"))} for line in lines]
    return records, {"offset": lines[-1].end if lines else offset}


def _no_log(run: Run, stream: str) -> BadInput:
    names = ", ".join(log_names(run)) or "none yet"
    return BadInput.one("stream", f"no {stream}", f"logs: {names}", code="no_log")


def log_tail(run: Run, stream: str, limit: int) -> tuple[Records, str]:
    """Return at most the last `limit` records of a log's last MB, and the cursor behind them.

    Raises:
        BadInput: there is no such log.
    """
    try:
        place = {"offset": max(0, run.folder.size(stream) - _TAIL)}
    except FileNotFoundError:
        raise _no_log(run, stream) from None
    if place["offset"]:  # probably in the middle of a line
        _, place = _read_log(run, stream, place, 1)
    last: Records = []
    while True:
        records, place = _read_log(run, stream, place, 10_000)
        if not records:
            return last, _encode(place, stream)
        last = (last + records)[-limit:]


def clean(text: str) -> str:
    """Return text that is safe to show: no control sequences, at most 4096 characters a line."""
    text = _UNSAFE.sub("", text)
    return text if len(text) <= _MAX_LINE else text[:_MAX_LINE] + "…"


def _encode(place: dict[str, Any], stream: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([stream, place]).encode()).decode()


def _decode(cursor: str | None, stream: str) -> dict[str, Any]:
    if cursor is None:
        return {}
    try:
        of_stream, place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):
        of_stream, place = None, None
    if of_stream != stream or not isinstance(place, dict):
        raise BadInput.one("cursor", f"is not a cursor of {stream}", "start again without one", code="cursor")
    return place
