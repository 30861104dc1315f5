"""The Ray that a driver trains on: the cluster at an address, or a small one of its own while it runs."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from raylm.config.errors import BadInput, RunFailed
from raylm.config.placement import Node
from raylm.config.ray_environment import ray_environment

INIT_TRIES = 3  # Ray gives a node 30 s to start, hard-coded; an overloaded machine needs longer now and then
LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # as on macOS, all of Ray listens on 127.0.0.1
OBJECT_STORE_BYTES = 150 << 20  # nothing large travels through Ray


def import_ray() -> Any:
    """Import ray without `rfc3987_syntax`, which compiles a grammar for two seconds and is not needed."""
    sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
    import ray

    return ray


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[list[Node]]:
    """Connect to Ray for the length of the block and yield its live nodes.

    Args:
        address: A running cluster's address; without one, RAY_ADDRESS (set inside a Ray job), else a local
            Ray is started and ends with the block.

    Raises:
        BadInput: No cluster answers at the address.
        RunFailed: The local Ray did not start.
    """
    ray = import_ray()
    # Importing Ray Train takes as long as connecting, and connecting mostly waits for other processes.
    threading.Thread(target=importlib.import_module, args=("raylm.distributed.trainer",), daemon=True).start()
    address = address or os.environ.get("RAY_ADDRESS")
    with _environment(ray_environment() | ({} if address else LOOPBACK_ONLY)):
        if address:
            _join(ray, address)
        else:
            _start(ray)
        try:
            yield [_node(values) for values in ray.nodes() if values["Alive"]]
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for the block, and put back what was there: this may be a person's notebook."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _join(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise BadInput.one(
            "scaling.address",
            f"cannot join the cluster at {address}: {str(error).splitlines()[0]}",
            "is it up? see: raylm cluster status",
            code="address",
        ) from None


def _start(ray: Any) -> None:
    """Start a local Ray whose files only this person can read."""
    for tried in range(1, INIT_TRIES + 1):
        before = os.umask(0o077)
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level="ERROR",
                _temp_dir=_private_temp_dir(),
            )
        except (ConnectionError, RuntimeError, TimeoutError) as error:
            if tried == INIT_TRIES:
                raise RunFailed(
                    f"Ray did not start in {INIT_TRIES} tries: {str(error).splitlines()[0]}",
                    "the machine may be overloaded: try again, or train without Ray (scaling.num_workers=0)",
                ) from None
            ray.shutdown()
            time.sleep(2 * tried)
        else:
            return
        finally:
            os.umask(before)


def _private_temp_dir() -> str:
    """Return a short folder (Ray's socket paths have a limit) inside one that only this person can enter."""
    folder = Path(tempfile.gettempdir()) / f"raylm-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise BadInput.one(
            "TMPDIR", f"{folder} belongs to somebody else", "set TMPDIR to a folder of your own"
        )
    folder.chmod(0o700)
    return str(folder / "ray")


def _node(values: dict[str, Any]) -> Node:
    resources = values["Resources"]
    return Node(
        values.get("NodeName") or values["NodeID"][:8],
        float(resources.get("CPU", 0)),
        int(resources.get("GPU", 0)),
        int(resources.get("memory", 0)),
    )
