"""Which cluster a job goes to."""

from collections.abc import Callable

from raylm.config.errors import BadInput
from raylm.jobs.clusters import OWNED_NAME, Cluster, address_from_environment, find_cluster
from raylm.jobs.owned import find_owned, start_owned


def find_target(
    address: str | None = None, *, may_start: bool = True, notify: Callable[[str], None] = lambda _: None
) -> Cluster:
    """Return the cluster of an address or a listed name; by default RAY_ADDRESS's, then the owned one.

    Where nothing is given and no owned cluster runs, one is started if that is allowed.

    Raises:
        BadInput: the address is not listed, or there is no cluster and none may be started.
        RunFailed: the owned cluster did not start.
    """
    address = address or address_from_environment()
    owned = find_owned()
    if owned is not None and address in {None, OWNED_NAME, owned.address}:
        return owned.cluster()
    if address not in {None, OWNED_NAME}:
        return find_cluster(str(address))
    if not may_start:
        raise BadInput.one(
            "address", "no cluster of yours runs here", "start one: raylm cluster start", code="no_cluster"
        )
    notify("starting a local Ray cluster; raylm cluster stop ends it")
    return start_owned(notify=notify)[0].cluster()
