"""Which cluster a job goes to."""

from collections.abc import Callable

from raylm.config.errors import BadInput
from raylm.jobs.clusters import (
    OWNED_NAME,
    Cluster,
    address_from_environment,
    find_cluster,
    list_clusters,
)
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


def known_clusters() -> list[Cluster]:
    """Return the owned cluster where one runs, those on the person's list, and the environment's."""
    owned = find_owned()
    found = [*([owned.cluster()] if owned else []), *list_clusters()]
    environment = default_cluster()
    if environment is not None and environment.address not in {each.address for each in found}:
        found.append(environment)
    return found


def default_cluster() -> Cluster | None:
    """Return the cluster that jobs go to where none is named; None where one would have to be started.

    Raises:
        BadInput: RAY_ADDRESS names a stranger.
    """
    if address_from_environment() is None and find_owned() is None:
        return None
    return find_target(may_start=False)


def find_known(reference: str) -> Cluster:
    """Return one of `known_clusters` by its name or address.

    Unlike `find_target` this lets no other address through, not even one of this machine: a page that may
    ask could look for servers with it.

    Raises:
        BadInput: it is none of them.
    """
    known = known_clusters()
    for each in known:
        if reference in {each.name, each.address}:
            return each
    names = ", ".join(each.reference for each in known) or "none"
    mend = f"known: {names}; add one: raylm cluster add NAME URL"
    raise BadInput.one(
        "name", f"{str(reference)[:80]!r} is not in your cluster list", mend, code="not_listed"
    )
