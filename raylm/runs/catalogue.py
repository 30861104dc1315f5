"""Finding runs: all of them, newest first, or the one a person means."""

import logging
import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from raylm.config.errors import BadInput
from raylm.config.near import nearest
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.folder import Folder
from raylm.runs.names import is_run_name, made_at
from raylm.runs.run import Run
from raylm.runs.storages import known

_LOG = logging.getLogger(__name__)
_NAME_IN_ID = re.compile(r"\d{8}-\d{6}-(.+)-[0-9a-f]{4}")
_LISTED = 6  # runs named in an error


def list_runs(storages: Iterable[str] | None = None) -> list[Run]:
    """Return the runs of all known storages (or of those given), newest first.

    Nothing of a run whose id raylm made is read here. A damaged run is listed too and says so in its status;
    a storage that cannot be reached is left out with a warning.
    """
    found: list[Run] = []
    for storage in known() if storages is None else storages:
        try:
            found += runs_in(Folder.open(storage))
        except (OSError, BadInput) as error:
            _LOG.warning("storage %s cannot be listed: %s", storage, error)
    return sorted(found, key=lambda run: (begun(run), run.run_id), reverse=True)


def find(reference: str, storages: Sequence[str] | None = None) -> tuple[Run, int | None]:
    """Return the run, and the step where the reference names one.

    A reference is `RUN`, `RUN@STEP`, `RUN@best` (lowest eval/loss) or `RUN@last`; RUN is an id, the beginning
    of one id only, a name that only one run has, or the path or URI of a run directory.

    Raises:
        BadInput: no run or more than one answers to it, or the run has no such checkpoint.
    """
    place, _, tail = reference.rpartition("/")
    if "/" in reference.partition("@")[0]:  # a path or URI, whose folders may have an @ in their names
        name, mark, which = tail.partition("@")
        run = Run.from_uri(f"{place}/{name}")
    else:
        name, mark, which = reference.partition("@")
        run = _find_run(name, storages)
    return run, _find_step(run, which) if mark else None


def attach(run_id: str, storage: str | None = None) -> Run:
    """Return a run by its id, the beginning of it, or its name; it may be running anywhere.

    Raises:
        BadInput: no run or more than one answers to it.
    """
    return find(run_id, None if storage is None else [storage])[0]


def runs_in(root: Folder, listed: Sequence[str] | None = None) -> list[Run]:
    """Return the runs of one storage, in no order; `listed` are its names where the caller has them.

    A folder whose id raylm made is a run even while it has no run.json; one that a person named is not.
    """
    names = [name for name in (root.names() if listed is None else listed) if is_run_name(name)]
    asked = [name for name in names if made_at(name) is None]
    with ThreadPoolExecutor(1 if root.is_local else 16) as pool:
        answers = dict(zip(asked, pool.map(lambda name: root.exists(f"{name}/run.json"), asked), strict=True))
    return [Run(root / name, root.uri, name) for name in names if answers.get(name, True)]


def begun(run: Run) -> str:
    """Return a UTC time text that sorts: from the id where raylm made it, else from run.json."""
    if text := made_at(run.run_id):
        return text
    try:
        return time.strftime("%Y%m%d-%H%M%S", time.gmtime(run.header()["created"]))
    except (BadInput, ValueError, OverflowError):
        return ""


def _find_run(name: str, storages: Sequence[str] | None) -> Run:
    if not name:
        raise BadInput.one("run", "is empty", "see: raylm runs list", code="no_run")
    if matches := _with_id(name, storages):  # what screens ask for twice a second: no storage is listed
        return _only(matches, name)
    runs = list_runs(storages)
    for answers in (_has_name, _has_prefix):
        if matches := [run for run in runs if answers(run, name)]:
            return _only(matches, name)
    close = nearest(name, [run.run_id for run in runs] + [_name_in(run) for run in runs], count=3)
    mend = f"did you mean {', '.join(close)}?" if close else "see: raylm runs list"
    raise BadInput.one("run", f"no run answers to {name[:80]!r}", mend, code="no_run")


def _with_id(run_id: str, storages: Sequence[str] | None) -> list[Run]:
    found: list[Run] = []
    for storage in (known() if storages is None else storages) if is_run_name(run_id) else ():
        try:
            root = Folder.open(storage)
            if root.exists(f"{run_id}/run.json") or (made_at(run_id) is not None and root.exists(run_id)):
                found.append(Run(root / run_id, root.uri, run_id))
        except (OSError, BadInput) as error:
            _LOG.warning("storage %s cannot be read: %s", storage, error)
    return found


def _only(matches: Sequence[Run], name: str) -> Run:
    if len(matches) == 1:
        return matches[0]
    listed = ", ".join(run.run_id for run in matches[:_LISTED])
    raise BadInput.one(
        "run", f"{len(matches)} runs answer to {name[:80]!r}", f"say which: {listed}", code="many"
    )


def _has_name(run: Run, name: str) -> bool:
    return _name_in(run) == name


def _has_prefix(run: Run, name: str) -> bool:
    return run.run_id.startswith(name)


def _name_in(run: Run) -> str:
    match = _NAME_IN_ID.fullmatch(run.run_id)
    return match.group(1) if match else run.run_id


def _find_step(run: Run, which: str) -> int:
    if which in _PICKS:
        return _PICKS[which](run)
    steps = run.checkpoints.steps()
    if which.isascii() and which.isdigit() and int(which) in steps:
        return int(which)  # a bad one too: whoever wants to use it verifies it
    raise _no_step(run, f"has no checkpoint {which[:80]!r}", steps)


def _last(run: Run) -> int:
    steps = [one.step for one in run.checkpoints.list() if not one.is_bad]
    if not steps:
        raise _no_step(run, "has no good checkpoint", [])
    return steps[-1]


def best_step(checkpoints: Sequence[Checkpoint]) -> int | None:
    """Return the step of the best of a run's checkpoints, oldest first; None where none was measured."""
    good = [one for one in checkpoints if not one.is_bad]
    # What the run itself compared by (evaluate.metric), if that checkpoint was kept; else the lowest loss.
    noted = (good[-1].facts.get("best") or {}).get("step") if good else None
    if noted in {one.step for one in good}:
        return noted
    losses = {one.step: (one.facts.get("metrics") or {}).get("eval/loss") for one in good}
    measured = {step: loss for step, loss in losses.items() if isinstance(loss, int | float)}
    return min(measured, key=measured.__getitem__) if measured else None


def _best(run: Run) -> int:
    checkpoints = run.checkpoints.list()
    best = best_step(checkpoints)
    if best is None:
        good = [one.step for one in checkpoints if not one.is_bad]
        raise _no_step(run, "has no checkpoint with an eval/loss", good)
    return best


_PICKS = {"last": _last, "best": _best}


def _no_step(run: Run, message: str, steps: list[int]) -> BadInput:
    mend = f"there are: {', '.join(map(str, steps)) or 'none'}; also `best` and `last`"
    return BadInput.one("run", f"{run.run_id} {message}", mend, code="no_step")
