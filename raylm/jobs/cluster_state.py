"""What a cluster is doing now, as its dashboard tells: the nodes, what of each is in use, and the jobs."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from raylm.jobs.clusters import Cluster
from raylm.jobs.http import Dashboard
from raylm.jobs.nodes import NODES
from raylm.jobs.ray_jobs import ENDED, run_of

LOOK_SECONDS = 3.0
"""How long each question may take: who looks asks again soon."""
MOST_LOST = 20  # nodes told, the last to go first
_VERSION, _SUMMARY, _JOBS = "/api/version", "/nodes?view=summary", "/api/jobs/"
# Ray's words for a node that was meant to go.
_MEANT = ("Expected termination", "Terminated due to idle")
_IN_USE = re.compile(r"^(?P<used>[\d.]+)/[\d.]+ (?P<kind>CPU|GPU)\b", re.MULTILINE)


class NodeState(NamedTuple):
    """A machine of a cluster. What its dashboard does not tell is None."""

    node_id: str
    name: str
    """Its host's name, where that is known."""
    address: str
    is_head: bool
    state: str
    """alive or lost."""
    ended: float | None
    """When it was lost, in seconds since 1970."""
    reason: str
    cpus: float
    """That Ray may hand out."""
    cpus_used: float | None
    """Of those, handed out to tasks, actors and placement groups."""
    load_percent: float | None
    """How busy the host's processors are, whoever makes them so."""
    memory_bytes: int | None
    memory_used_bytes: int | None
    gpus: float
    gpus_used: float | None
    gpu_memory_bytes: int | None
    gpu_memory_used_bytes: int | None


class ClusterJob(NamedTuple):
    """A job that has not ended."""

    job_id: str
    run_id: str | None
    """The run that it drives, where raylm submitted it."""
    status: str
    """PENDING or RUNNING."""
    started: float | None
    """In seconds since 1970."""


class ClusterState(NamedTuple):
    """A cluster at a moment."""

    ray_version: str
    nodes: list[NodeState]
    """The head first, then by name; lost ones last."""
    jobs: list[ClusterJob]


def look(cluster: Cluster, seconds: float = LOOK_SECONDS) -> ClusterState:
    """Ask a cluster's dashboard what it is doing; several questions at once, each for some seconds at most.

    Raises:
        BadInput: nobody answers, the token is missing or wrong, or what answers is no Ray dashboard.
        HttpError: the dashboard answered with an error.
    """
    dashboard = cluster.dashboard(seconds)
    version, nodes, summary, jobs = _ask_all(dashboard, (_VERSION, NODES, _SUMMARY, _JOBS))
    try:
        return ClusterState(
            str(version["ray_version"]),
            _nodes(nodes["data"]["result"]["result"], summary["data"]),
            [_job(each) for each in jobs if each["status"] not in ENDED],
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise dashboard.stranger() from None


def versions(clusters: Sequence[Cluster], seconds: float = LOOK_SECONDS) -> list[str | Exception]:
    """Return each cluster's Ray version, or the BadInput or HttpError that says why it cannot be told."""

    def version(cluster: Cluster) -> str | Exception:
        try:
            dashboard = cluster.dashboard(seconds)
            answer = dashboard.get(_VERSION)
        except Exception as error:  # noqa: BLE001 - one cluster's trouble must not hide the others
            return error
        is_ray = isinstance(answer, dict) and "ray_version" in answer
        return str(answer["ray_version"]) if is_ray else dashboard.stranger()

    with ThreadPoolExecutor(max(1, min(16, len(clusters)))) as pool:
        return list(pool.map(version, clusters))


def _ask_all(dashboard: Dashboard, paths: Sequence[str]) -> list[Any]:
    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(dashboard.get, paths))


def _nodes(rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> list[NodeState]:
    hosts = {one["raylet"]["nodeId"]: one for one in summary["summary"] if one.get("raylet")}
    in_use = summary.get("nodeLogicalResources") or {}
    nodes = [_node(row, hosts.get(row["node_id"]) or {}, in_use.get(row["node_id"])) for row in rows]
    alive = [node for node in nodes if node.state == "alive"]
    lost = [node for node in nodes if node.state == "lost" and not node.reason.startswith(_MEANT)]
    alive.sort(key=lambda node: (not node.is_head, node.name, node.node_id))
    lost.sort(key=lambda node: node.ended or 0, reverse=True)
    return alive + lost[:MOST_LOST]


def _node(row: Mapping[str, Any], host: Mapping[str, Any], in_use: str | None) -> NodeState:
    total = row.get("resources_total") or {}
    is_alive = row["state"] == "ALIVE"
    memory = host.get("mem") or []
    gpus = [one for one in host.get("gpus") or [] if one.get("memoryTotal")]
    used = {match["kind"]: float(match["used"]) for match in _IN_USE.finditer(in_use or "")}
    return NodeState(
        node_id=row["node_id"],
        name=str(host.get("hostname") or row.get("node_name") or row["node_ip"]),
        address=str(row["node_ip"]),
        is_head=bool(row.get("is_head_node")),
        state="alive" if is_alive else "lost",
        ended=None if is_alive else float(row.get("end_time_ms") or 0) / 1000 or None,
        reason=str(row.get("state_message") or ""),
        cpus=float(total.get("CPU", 0)),
        cpus_used=used.get("CPU"),
        load_percent=host.get("cpu"),
        memory_bytes=memory[0] if memory else None,
        memory_used_bytes=memory[0] - memory[1] if memory else None,
        gpus=float(total.get("GPU", 0)),
        gpus_used=used.get("GPU"),
        gpu_memory_bytes=_bytes(gpus, "memoryTotal"),
        gpu_memory_used_bytes=_bytes(gpus, "memoryUsed"),
    )


def _bytes(gpus: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """Return the sum over a node's GPUs; Ray counts in MiB, as the driver's library does."""
    return int(sum(one[key] for one in gpus) * 2**20) if gpus else None


def _job(row: Mapping[str, Any]) -> ClusterJob:
    job_id = str(row["submission_id"] or row["job_id"])
    started = row.get("start_time")
    return ClusterJob(job_id, run_of(job_id), str(row["status"]), started / 1000 if started else None)
