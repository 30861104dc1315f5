"""A Python program as a job: one plain file, sent to the cluster as it stands; nothing is pickled."""

import io
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from raylm.config.card import Card, Shown, State
from raylm.jobs.clusters import OWNED_NAME, Cluster
from raylm.jobs.ray_jobs import STOP_SECONDS, interpreter, job_logs, job_status, stop_job, submit_entrypoint
from raylm.jobs.target import find_target
from raylm.jobs.versions import check_versions
from raylm.runs.names import make_run_id
from raylm.runs.storages import resolve


@dataclass(frozen=True, repr=False)
class Job(Shown):
    """A program that was submitted."""

    job_id: str
    address: str
    """Name or address of the cluster it was submitted to."""

    def status(self) -> str:
        """Return PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED; LOST where the cluster knows no such job.

        Raises:
            BadInput: nobody answers there.
        """
        found = job_status(self.job_id, self.address)
        return "LOST" if found is None else found.status

    def logs(self) -> str:
        """Return all that the program printed so far; errors as `status`."""
        return job_logs(self.job_id, self.address)

    def stop(self) -> bool:
        """Ask the program to end, after 30 s with force; False when it has ended already."""
        return stop_job(self.job_id, self.address)

    def _card(self) -> Card:
        where = f"{self.job_id} --address {shlex.quote(self.address)}"
        return Card(
            f"Job {self.job_id}",
            [("on", self.address), ("its runs", "in Monitor, as soon as they begin")],
            State("submitted", "▸"),
            commands=(f"%raylm logs {where}", f"%raylm stop {where}"),
            in_line=("on",),
        )


def submit_program(
    source: str,
    folder: Path,
    address: str | None = None,
    storage: str | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Job:
    """Send a Python program to a cluster and run it there as a job; a run that it trains joins that cluster.

    The file `cell_<digest>.py` is all that the job's working directory holds. On the owned cluster, which is
    this machine, the program runs in `folder` instead: relative paths and modules there are those of here.

    Args:
        source: The program.
        folder: Where relative paths of the program lead, on this machine.
        address: A listed cluster's name or address; by default the live one that raylm owns, or a new one.
        storage: Where its runs are kept; by default wherever raylm keeps them.
        notify: Called with a line about what takes time.

    Raises:
        BadInput: the cluster is not on the list, does not answer, or runs another Ray.
        HttpError: the cluster refused the job, or started no agent within a minute.
    """
    cluster = find_target(address, notify=notify)
    check_versions(cluster)
    job_id, data = make_run_id("cell"), source.encode()
    name = f"cell_{sha256(data).hexdigest()[:12]}.py"
    # A name of its own: Ray deletes an archive when the last job ends that it knows to use it.
    archive = f"_ray_pkg_{sha256(job_id.encode() + data).hexdigest()[:32]}.zip"
    cluster.dashboard().put(f"/api/packages/gcs/{archive}", _zipped(name, data))
    environment = {"RAYLM_STORAGE": resolve(storage), "RAY_JOB_STOP_WAIT_TIME_S": STOP_SECONDS}
    submit_entrypoint(
        cluster, job_id, program_command(cluster, name, folder), environment, notify, f"gcs://{archive}"
    )
    return Job(job_id, cluster.reference)


def program_command(cluster: Cluster, name: str, folder: Path) -> str:
    """Return the shell command that runs the file `name` of the job's working directory."""
    python = shlex.quote(interpreter(cluster))
    if cluster.name != OWNED_NAME:
        return f"{python} -u {shlex.quote(name)}"
    there = f'cd {shlex.quote(str(folder))} && export PYTHONPATH="$PWD${{PYTHONPATH:+:$PYTHONPATH}}"'
    return f'cell="$PWD"/{shlex.quote(name)}; {there} && exec {python} -u "$cell"'


def _zipped(name: str, data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return archive.getvalue()
