"""The local Ray cluster that raylm owns: on loopback only, with a token of its own, ended by process id."""

import contextlib
import fcntl
import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from raylm.config.errors import BadInput, RunFailed
from raylm.config.places import state_path, write_private
from raylm.config.ray_environment import ray_environment
from raylm.jobs.clusters import OWNED_NAME, Cluster
from raylm.jobs.detached import Detached, end_tree, is_alive, spawn_detached, tail
from raylm.jobs.ray_head import HeadOptions, head_command, wait_until_ready

START_TRIES = 3
"""Ray gives a starting node 30 s, fixed in its source; an overloaded machine can need more."""


@dataclass(frozen=True)
class OwnedCluster:
    """A cluster that raylm started on this host."""

    pid: int
    start_time: float
    address: str
    """Dashboard, http://127.0.0.1:port."""
    gcs_address: str
    """What `ray.init(address=...)` takes: 127.0.0.1:port."""
    temp_path: str
    token_path: str
    ray_version: str
    python_version: str

    def cluster(self) -> Cluster:
        """Return it as an entry of the cluster list."""
        return Cluster(OWNED_NAME, self.address, self.token_path)

    def process(self) -> Detached:
        """Return its head process, the ancestor of all its others."""
        return Detached(self.pid, self.start_time)


def find_owned() -> OwnedCluster | None:
    """Return the cluster that runs now, or None."""
    try:
        owned = OwnedCluster(**json.loads(_record_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return owned if is_alive(owned.process()) else None


def start_owned(
    options: HeadOptions | None = None, notify: Callable[[str], None] = lambda _: None
) -> tuple[OwnedCluster, bool]:
    """Return the running cluster and whether it was started now; `notify` takes lines for the person.

    About 3 s on two idle cores. A second caller, in another process too, waits for the first one's cluster.

    Raises:
        RunFailed: Ray did not start; the message holds the end of its log.
    """
    with _lock():
        if (running := find_owned()) is not None:
            return running, False
        for tries_left in reversed(range(START_TRIES)):
            owned, log_path = _launch(options or HeadOptions())
            try:
                wait_until_ready(owned.cluster(), lambda owned=owned: is_alive(owned.process()))
            except TimeoutError as error:
                end_tree(owned.process())
                reason = tail(log_path) or str(error)
                shutil.rmtree(owned.temp_path, ignore_errors=True)
                if tries_left == 0 or "timed out during startup" not in reason:
                    raise RunFailed(
                        f"Ray did not start: {reason}", "free some CPU or memory, then start again"
                    ) from None
                notify("Ray gave up starting on this overloaded machine; trying again")
                continue
            write_private(_record_path(), json.dumps(asdict(owned), indent=1))
            start_record_path().unlink(missing_ok=True)
            return owned, True
    raise AssertionError("the last try returns or raises")


def stop_owned() -> OwnedCluster | None:
    """End the owned cluster with everything on it, and return what it was; None where none ran."""
    with _lock():
        owned = find_owned()
        if owned is not None:
            end_tree(owned.process())
            shutil.rmtree(owned.temp_path, ignore_errors=True)
            Path(owned.token_path).unlink(missing_ok=True)
        _record_path().unlink(missing_ok=True)
        return owned


def _launch(options: HeadOptions) -> tuple[OwnedCluster, Path]:
    temp_path = _make_temp_path()
    token_path = state_path() / "cluster-token"
    write_private(token_path, secrets.token_hex(32))
    head = head_command(options, temp_path)
    log_path = temp_path / "head.log"
    process = spawn_detached(head.command, _environment(token_path), log_path)
    owned = OwnedCluster(
        pid=process.pid,
        start_time=process.start_time,
        address=head.address,
        gcs_address=head.gcs_address,
        temp_path=str(temp_path),
        token_path=str(token_path),
        ray_version=version("ray"),
        python_version=platform.python_version(),
    )
    return owned, log_path


def _environment(token_path: Path) -> dict[str, str]:
    """Return the environment of its processes, jobs and workers too; other clusters' addresses stay out."""
    others = {
        "RAY_ADDRESS",
        "RAY_API_SERVER_ADDRESS",
        "RAY_AUTH_TOKEN",
        "RAY_JOB_CONFIG_JSON_ENV_VAR",
        "RAY_NAMESPACE",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in others}
    own = {
        # A job's shell finds this interpreter's commands: `ray job submit -- raylm train RECIPE`.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_path),
        "RAY_START_HOOK": "raylm_ray_start.leave_out_ray_client",
        # As on macOS, all of Ray listens on 127.0.0.1: no other machine can join or look in, and gloo's
        # workers find each other whatever the host's name resolves to.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Its dashboard then tells what of each node is in use; the older way needs a monitor process for it.
        "RAY_enable_autoscaler_v2": "1",
    }
    return {**inherited, **ray_environment(), **own}


def _make_temp_path() -> Path:
    """Return a new short folder (Ray's socket paths must stay below 107 bytes) that others cannot reach.

    Ray opens the folder itself to everyone (0777); its parent stays closed.
    """
    parent = Path("/tmp") / f"raylm-{os.getuid()}"  # noqa: S108 - checked below
    parent.mkdir(mode=0o700, exist_ok=True)
    status = parent.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or parent.is_symlink():
        mend = f"remove it if it is yours, or chmod 700 {parent}"
        raise BadInput.one("cluster", f"{parent} is not a private folder of yours", mend, code="temp_path")
    path = parent / secrets.token_hex(2)
    path.mkdir(mode=0o700)
    return path


def start_record_path() -> Path:
    """Return the note of a start on its way, or of why the last one failed: see `raylm.jobs.starting`."""
    return state_path() / "cluster-start.json"


def _record_path() -> Path:
    return state_path() / "cluster.json"


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    state_path().mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_path() / "cluster.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
