"""How the head of an owned cluster is started, and when it may be used."""

import contextlib
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from raylm.config.errors import BadInput
from raylm.jobs.clusters import Cluster
from raylm.jobs.http import HttpError
from raylm.jobs.nodes import list_nodes

READY_SECONDS = 60.0
_WORKER_PORTS = range(10002, 20000)  # Ray's workers listen there, and its GCS must not


class HeadOptions(NamedTuple):
    """What a person may choose; None leaves it to Ray, or for the object store to `object_store_bytes`."""

    num_cpus: int | None = None
    num_gpus: int | None = None
    object_store_memory: int | None = None
    """Bytes."""


class Head(NamedTuple):
    """A head's command line, and where it will be found."""

    command: list[str]
    address: str
    gcs_address: str


def head_command(options: HeadOptions, temp_path: Path) -> Head:
    """Return the command that starts a head on free ports of 127.0.0.1 and stays as its parent process."""
    gcs, dashboard, agent = _free_ports(3)
    amounts = {
        "num-cpus": options.num_cpus,
        "num-gpus": options.num_gpus,
        "object-store-memory": options.object_store_memory or object_store_bytes(),
    }
    command = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        f"--temp-dir={temp_path}",
    ]
    command += ["--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", "--include-dashboard=true"]
    command += [f"--port={gcs}", f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    command += ["--no-monitor", "--disable-usage-stats"]  # one machine has nothing to scale
    command += [f"--{name}={amount}" for name, amount in amounts.items() if amount is not None]
    return Head(command, f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{gcs}")


def object_store_bytes() -> int:
    """Return the size of the object store: little goes through it, since shards are mapped from files.

    5% of the memory, within 150 MB and 2 GB, and at most half of what /dev/shm has free.
    """
    wanted = min(max(psutil.virtual_memory().total // 20, 150_000_000), 2_000_000_000)
    shared = Path("/dev/shm")  # noqa: S108 - only asked for its size
    free = shutil.disk_usage(shared).free // 2 if shared.is_dir() else wanted
    return max(min(wanted, free), 80_000_000)  # Ray refuses less than 75 MB


def wait_until_ready(cluster: Cluster, is_alive: Callable[[], bool]) -> None:
    """Return once the dashboard lists the node.

    Raises:
        TimeoutError: the process ended, or a minute passed.
    """
    dashboard = cluster.dashboard()
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(BadInput, HttpError):
            if list_nodes(dashboard):
                return
        if not is_alive():
            raise TimeoutError("its head process ended")
        time.sleep(0.1)
    raise TimeoutError(f"not ready within {READY_SECONDS:.0f} s")


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now; those of Ray's workers are left out."""
    ports: list[int] = []
    sockets: list[socket.socket] = []
    while len(ports) < count:
        each = socket.socket()
        each.bind(("127.0.0.1", 0))
        sockets.append(each)
        port = each.getsockname()[1]
        if port not in _WORKER_PORTS:
            ports.append(port)
    for each in sockets:
        each.close()
    return ports
