"""Clusters: which there are, what one is doing, and starting, stopping and listing them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from raylm.api.incidents import Incidents
from raylm.api.questions import Json, Place, Questions
from raylm.config.errors import BadInput, RunFailed
from raylm.jobs.cluster_state import ClusterJob, ClusterState, look, versions
from raylm.jobs.clusters import OWNED_NAME, Cluster, add_cluster, remove_cluster
from raylm.jobs.owned import find_owned
from raylm.jobs.ray_head import HeadOptions
from raylm.jobs.ray_jobs import stop_owned_unless_used
from raylm.jobs.starting import begin_start, find_start
from raylm.jobs.target import default_cluster, find_known, known_clusters
from raylm.runs.run import Run

MOST_CPUS = 4096  # Ray takes any number; more than this is a slip
MOST_RUNS = 8  # whose events are read


class Clusters(Questions):
    """The questions of the cluster's window.

    Only clusters that the person has listed, the one that raylm started and the one that the environment
    names are ever asked; each question to them has a few seconds.
    """

    READS: ClassVar = ("clusters", "cluster")
    COMMANDS: ClassVar = ("start_cluster", "stop_cluster", "add_cluster", "remove_cluster")
    LIGHT: ClassVar = (*READS, *COMMANDS)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._incidents = Incidents()

    def clusters(self) -> list[Json]:
        """Return the clusters that jobs may be sent to; the local one first, whether or not it runs.

        Each is {"name", "address", "storage", "is_owned", "is_listed", "is_default", "state", "since",
        "message", "mend", "ray_version"}; "state" is alive, starting, failed, none or unreachable.
        """
        known = known_clusters()
        default = default_cluster()
        rows = [_row(one, default) | _tell(told) for one, told in zip(known, versions(known), strict=True)]
        is_running = any(row["is_owned"] for row in rows)
        return rows if is_running else [_local(is_default=default is None), *rows]

    def cluster(self, name: str = "") -> Json:
        """Return one cluster, by default the one that jobs go to; a row of `clusters` with more.

        "nodes" are `NodeState`s, "jobs" `ClusterJob`s, and "events" what lately happened to those jobs' runs,
        newest first.

        Raises:
            BadInput: the cluster is not known, does not answer, or is none.
            HttpError: it answers with an error.
        """
        _check_texts(name=name)
        default = default_cluster()
        is_local = name == OWNED_NAME or (not name and default is None)
        if is_local and find_owned() is None:
            return _local(is_default=default is None) | {"nodes": [], "jobs": [], "events": []}
        found = default if default is not None and not name else find_known(name or OWNED_NAME)
        state = _look(found)
        return {
            **_row(found, default),
            **_tell(state.ray_version),
            "nodes": [node._asdict() for node in state.nodes],
            "jobs": [job._asdict() for job in state.jobs],
            "events": self._incidents.of(self._runs(state.jobs)),
        }

    def start_cluster(self, num_cpus: int | None = None, num_gpus: int | None = None) -> Json:
        """Have the local cluster started and return it at once: it is starting, later alive or failed.

        By default Ray counts the CPUs and GPUs itself.
        """
        _check_count("num_cpus", num_cpus, 1)
        _check_count("num_gpus", num_gpus, 0)
        begin_start(HeadOptions(num_cpus, num_gpus))
        return self._local_now()

    def stop_cluster(self, force: bool = False) -> Json:  # noqa: FBT001, FBT002 - arguments come by name
        """End the local cluster; one that is being started, or that jobs run on, only with `force`.

        Raises:
            BadInput: it is being started, or jobs run on it; they are named.
        """
        start = find_start()
        if find_owned() is None and start is not None and start.state == "starting":
            raise BadInput.one("cluster", "it is being started", "stop it when it has started", code="busy")
        stop_owned_unless_used(force=force is True)
        return self._local_now()

    def add_cluster(self, name: str, address: str, token_path: str = "", storage: str = "") -> Json:
        """List a cluster, so that it may be looked at and jobs may be sent to it; returns it, not yet asked.

        Raises:
            BadInput: the name, the address or the token's file cannot be used.
        """
        _check_texts(name=name, address=address, token_path=token_path, storage=storage)
        add_cluster(Cluster(name, address, token_path or None, storage or None))
        return _row(find_known(name), default_cluster())

    def remove_cluster(self, name: str) -> Json:
        """Take a cluster off the list; its jobs and runs stay as they are."""
        _check_texts(name=name)
        remove_cluster(name)
        return {"name": name}

    def _local_now(self) -> Json:
        owned = find_owned()
        default = default_cluster()
        return _local(is_default=default is None) if owned is None else _row(owned.cluster(), default)

    def _runs(self, jobs: Sequence[ClusterJob]) -> list[Run]:
        """Return the jobs' runs that lie in a storage of this person's."""
        found: list[Run] = []
        for run_id in [job.run_id for job in jobs if job.run_id][:MOST_RUNS]:
            try:
                found.append(self.place.find(run_id))
            except BadInput:  # somebody else's
                continue
        return found


def _look(cluster: Cluster) -> ClusterState:
    try:
        return look(cluster)
    except BadInput as error:  # about no field of the question: it holds a name
        raise BadInput(*(replace(problem, field="") for problem in error.problems)) from None


def _row(cluster: Cluster, default: Cluster | None) -> Json:
    is_owned = cluster.name == OWNED_NAME
    return {
        "name": cluster.reference,
        "address": cluster.address,
        "storage": cluster.storage,
        "is_owned": is_owned,
        "is_listed": bool(cluster.name) and not is_owned,
        "is_default": default is not None and default.address == cluster.address,
        "state": "alive",
        "since": None,
        "message": "",
        "mend": "",
        "ray_version": "",
    }


def _local(*, is_default: bool) -> Json:
    """Return the local cluster while it does not run."""
    start = find_start()
    told = {"state": "none"} if start is None else start._asdict()
    return _row(Cluster(OWNED_NAME, ""), None) | {"is_default": is_default} | told


def _tell(told: str | Exception) -> Json:
    """Return what a cluster's version, or the error in its place, adds to its row."""
    if isinstance(told, str):
        return {"ray_version": told}
    if isinstance(told, BadInput):
        problem = told.problems[0]
        return {"state": "unreachable", "message": problem.message, "mend": problem.mend}
    if isinstance(told, RunFailed):
        return {"state": "unreachable", "message": told.reason, "mend": told.mend}
    return {"state": "unreachable", "message": f"{type(told).__name__}: {told}"}


def _check_texts(**given: Any) -> None:
    for field, value in given.items():
        if not isinstance(value, str):
            raise BadInput.one(field, f"{value!r} is not a text", code="text")


def _check_count(field: str, value: Any, least: int) -> None:
    if value is None:
        return
    if type(value) is not int or not least <= value <= MOST_CPUS:  # True is an int too
        message = f"{str(value)[:80]} is not a whole number from {least} to {MOST_CPUS}"
        raise BadInput.one(field, message, "leave it out to offer all", code="count")
