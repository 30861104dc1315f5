"""Whether the Ray here and the Ray of a cluster understand each other."""

import platform
from importlib.metadata import version

from raylm.config.errors import BadInput
from raylm.jobs.clusters import OWNED_NAME, Cluster
from raylm.jobs.owned import find_owned


def check_versions(cluster: Cluster) -> str:
    """Return the cluster's Ray version, after a look at it.

    The minor version of Ray must agree. So must Python's on the owned cluster, which runs jobs with this
    interpreter; elsewhere a job runs with the cluster's own Python, and no dashboard tells which that is.

    Raises:
        BadInput: they differ.
    """
    theirs, ours = cluster.dashboard().get("/api/version")["ray_version"], version("ray")
    if _minor(theirs) != _minor(ours):
        mend = f"install ray=={theirs} here, or submit from an environment that has it"
        raise BadInput.one(
            "address", f"{cluster.address} runs Ray {theirs}, here is {ours}", mend, code="version"
        )
    owned = find_owned() if cluster.name == OWNED_NAME else None
    python = platform.python_version()
    if owned is not None and _minor(owned.python_version) != _minor(python):
        message = f"the owned cluster runs Python {owned.python_version}, here is {python}"
        mend = "restart it: raylm cluster stop, then raylm cluster start"
        raise BadInput.one("address", message, mend, code="version")
    return theirs


def _minor(full: str) -> list[str]:
    return full.split(".")[:2]
