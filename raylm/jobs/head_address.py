"""The address of a Ray head that a run in the foreground joins, looked at before anything is sent there."""

import socket
from urllib.parse import SplitResult, urlsplit

import psutil

from raylm.config.errors import BadInput
from raylm.jobs.clusters import is_loopback, list_clusters

FIELD = "scaling.address"
CONNECT_SECONDS = 4.0  # Ray itself tries for minutes


def check_head(address: str) -> None:
    """Return when a Ray head of this machine or of a listed cluster's host answers at `host:port`.

    Raises:
        BadInput: it is no such address, its host is a stranger (nothing is sent then), or nobody answers.
    """
    parts = _split(address)
    host, port = parts.hostname, parts.port
    if not is_loopback(parts) and host not in _own_hosts():
        mend = f"add it if you trust it: raylm cluster add NAME http://{host}:8265 --token-path FILE"
        raise BadInput.one(FIELD, f"{address} is not in your cluster list", mend, code="not_listed")
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        mend = "is the cluster up? see: raylm cluster status"
        raise BadInput.one(FIELD, f"cannot reach {address} ({error})", mend, code="unreachable") from None


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(f"//{address}")
        is_plain = bool(parts.hostname and parts.port) and parts.netloc == address
    except ValueError:
        parts, is_plain = urlsplit(""), False
    if is_plain and address.isprintable() and "@" not in address:
        return parts
    mend = "write it as 127.0.0.1:6379, or run it as a job: raylm submit --address NAME|URL"
    raise BadInput.one(FIELD, f"{address!r} is not the address of a Ray head", mend, code="address")


def _own_hosts() -> set[str | None]:
    """Return this machine's addresses and the hosts of the clusters on the person's list."""
    here = {each.address for addresses in psutil.net_if_addrs().values() for each in addresses}
    return here | {urlsplit(cluster.address).hostname for cluster in list_clusters()}
