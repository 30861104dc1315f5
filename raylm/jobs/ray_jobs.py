"""Jobs on a Ray cluster: submit, look, stop, over the REST interface of Ray's dashboard.

https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html; statuses and errors as
read in Ray 2.60's `dashboard/modules/job`.
"""

import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from raylm.config.errors import BadInput
from raylm.jobs.clusters import OWNED_NAME, Cluster
from raylm.jobs.http import HttpError
from raylm.jobs.owned import OwnedCluster, find_owned, stop_owned
from raylm.jobs.target import find_target
from raylm.jobs.versions import check_versions
from raylm.runs.names import is_run_name
from raylm.runs.run import Run

AGENT_SECONDS = 60.0
"""How long a submit waits for the agent that starts jobs: it comes up some seconds after the dashboard."""
_AGENT_NOT_READY = (
    "No available agent",
    "Agent info not found",
    "Failed to get head node agent",
    "Cannot connect to",
)
ENDED = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_LAUNCH = re.compile(r"(?P<run>.+)-l\d+")
_NOT_FOUND = 404
STOP_SECONDS = "30"  # Ray's own 3 s between SIGTERM and SIGKILL are too few to save a checkpoint


class JobStatus(NamedTuple):
    """What Ray knows of a job; the run's own status.json knows better how its training went."""

    status: str
    """PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED."""
    message: str

    @property
    def has_ended(self) -> bool:
        """Whether the driver is gone for good."""
        return self.status in ENDED


def submission_id(run_id: str, launch: int) -> str:
    """Return the id of a launch's job: Ray takes each id once, so a launch runs once."""
    return f"{run_id}-l{launch}"


def run_of(job_id: str) -> str | None:
    """Return the id of the run that a job of this id drives; None where raylm did not submit it."""
    match = _LAUNCH.fullmatch(job_id)
    return match["run"] if match and is_run_name(match["run"]) else None


def submit(
    run: Run, launch: int, address: str | None = None, notify: Callable[[str], None] = lambda _: None
) -> str:
    """Start a claimed launch as a Ray job and return its submission id; a second call starts nothing.

    Raises:
        BadInput: the cluster is not on the list, does not answer, or runs another Ray.
        HttpError: the cluster refused the job, or started no agent within a minute.
    """
    cluster = find_target(address, notify=notify)
    check_versions(cluster)
    job_id = submission_id(run.run_id, launch)
    environment = {"RAYLM_STORAGE": run.storage, "RAY_JOB_STOP_WAIT_TIME_S": STOP_SECONDS}
    submit_entrypoint(cluster, job_id, drive_command(cluster, run.uri, launch), environment, notify)
    return job_id


def drive_command(cluster: Cluster, run_uri: str, launch: int) -> str:
    """Return the shell command that drives a launch; on the owned cluster with this very interpreter."""
    return shlex.join([interpreter(cluster), "-m", "raylm", "drive", run_uri, str(launch)])


def interpreter(cluster: Cluster) -> str:
    """Return the Python of a job: this very one on the owned cluster, elsewhere the cluster's own."""
    return sys.executable if cluster.name == OWNED_NAME else "python"


def submit_entrypoint(
    cluster: Cluster,
    job_id: str,
    entrypoint: str,
    environment: Mapping[str, str],
    notify: Callable[[str], None] = lambda _: None,
    package: str = "",
) -> bool:
    """Start a shell command as a job and return True, or False when a job of that id is there already.

    `environment` can be read by all who may use the cluster, so it must hold no secret. An agent that is not
    ready is waited for, with growing pauses. `package` is the URI of an uploaded archive, whose contents are
    the job's working directory.

    Raises:
        BadInput: as `Dashboard.post`.
        HttpError: the cluster refused the job, or started no agent in time.
    """
    runtime = {"env_vars": dict(environment), **({"working_dir": package} if package else {})}
    body = {"entrypoint": entrypoint, "submission_id": job_id, "runtime_env": runtime}
    dashboard = cluster.dashboard()
    deadline, pause = time.monotonic() + AGENT_SECONDS, 0.1
    while True:
        try:
            dashboard.post("/api/jobs/", body)
        except HttpError as error:
            if "already exists" in error.text:
                return False
            if not any(sign in error.text for sign in _AGENT_NOT_READY) or time.monotonic() > deadline:
                raise
        else:
            return True
        if pause == 0.1:  # noqa: PLR2004 - the first one; a single line for the person
            notify(f"waiting for the job agent of {cluster.address}")
        time.sleep(pause)
        pause = min(pause * 1.5, 3.0)


def job_status(job_id: str, address: str | None = None) -> JobStatus | None:
    """Return the status of a job, or None when the cluster knows no such job; errors as `Dashboard.get`."""
    try:
        found = find_target(address, may_start=False).dashboard().get(_path(job_id))
    except HttpError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    return JobStatus(found["status"], found.get("message") or "")


def job_logs(job_id: str, address: str | None = None) -> str:
    """Return all that the driver printed so far; errors as `Dashboard.get`."""
    return find_target(address, may_start=False).dashboard().get(_path(job_id) + "/logs")["logs"]


def stop_job(job_id: str, address: str | None = None) -> bool:
    """Ask Ray to end a job (SIGTERM, after 30 s SIGKILL); False when it has ended already.

    The stop command in the run directory is the gentler way; this is for a driver that does not follow it.
    """
    return bool(find_target(address, may_start=False).dashboard().post(_path(job_id) + "/stop")["stopped"])


def running_jobs(cluster: Cluster) -> list[str]:
    """Return the ids of the submitted jobs that have not ended."""
    jobs = cluster.dashboard().get("/api/jobs/")
    return [
        each["submission_id"] for each in jobs if each["type"] == "SUBMISSION" and each["status"] not in ENDED
    ]


def stop_owned_unless_used(*, force: bool = False) -> OwnedCluster | None:
    """End the owned cluster as `stop_owned` does; with `force` also while jobs run on it.

    Raises:
        BadInput: jobs run on it, or it does not tell whether any do.
    """
    owned = find_owned()
    if owned is not None and not force and (jobs := running_jobs(owned.cluster())):
        mend = "stop those runs first, or force it (raylm cluster stop --force)"
        raise BadInput.one("cluster", f"jobs run on it: {', '.join(jobs)}", mend, code="in_use")
    return stop_owned()


def _path(job_id: str) -> str:
    return f"/api/jobs/{quote(job_id, safe='')}"
