"""The clusters a person may send jobs to: a list in their settings; raylm contacts no other address."""

import ipaddress
import os
import re
import stat
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from raylm.config.errors import BadInput
from raylm.config.near import nearest
from raylm.config.places import read_settings, settings_path, write_settings
from raylm.jobs.http import Dashboard

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OWNED_NAME = "owned"
"""The name under which the cluster that raylm itself started is known; nothing else may take it."""


@dataclass(frozen=True)
class Cluster:
    """Where one cluster's dashboard is, and which token belongs to it."""

    name: str
    address: str
    """Address of the dashboard, http(s)://host:port."""
    token_path: str | None = None
    """File of mode 0600 that holds the token."""
    storage: str | None = None
    """Where runs on this cluster are kept unless a recipe says otherwise."""
    allow_insecure_http: bool = False
    """Send the token over http to another machine, in clear."""

    @property
    def reference(self) -> str:
        """What finds this cluster again: its name if it has one, for an owned one comes back elsewhere."""
        return self.name or self.address

    def dashboard(self, seconds: float | None = None) -> Dashboard:
        """Return the client of this cluster; it reads the token now and sends nothing yet.

        `seconds` is how long it waits, as in `Dashboard`.
        """
        return Dashboard(self.address, self.token(), seconds)

    def token(self) -> str | None:
        """Return the token, if this cluster has one.

        Raises:
            BadInput: the file is missing, empty, or readable by others.
        """
        if self.token_path is None:
            return None
        path = Path(self.token_path).expanduser()
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise BadInput.one(
                f"clusters.{self.name}.token_path", f"cannot read {path}: {error}", code="token"
            ) from None
        if stat.S_IMODE(mode) & 0o077:
            message = f"others can read {path} (mode {stat.S_IMODE(mode):04o})"
            raise BadInput.one(f"clusters.{self.name}.token_path", message, f"chmod 600 {path}", code="token")
        if not text:
            raise BadInput.one(f"clusters.{self.name}.token_path", f"{path} is empty", code="token")
        return text


def list_clusters() -> list[Cluster]:
    """Return the clusters in the person's settings, in their order.

    Raises:
        BadInput: an entry is not a cluster.
    """
    entries = read_settings().get("clusters") or []
    if not isinstance(entries, list):
        raise BadInput.one(
            "clusters", f"in {settings_path()}: must be a list of name, address, token_path, storage"
        )
    return [_parse(entry) for entry in entries]


def add_cluster(cluster: Cluster) -> None:
    """Put a cluster on the list, in the place of the one that has its name.

    A relative path of a token file is taken from the working directory.

    Raises:
        BadInput: the name, the address or the token cannot be used.
    """
    if not NAME.fullmatch(cluster.name) or cluster.name == OWNED_NAME:
        message = f"{cluster.name!r} cannot be used"
        raise BadInput.one(
            "name", message, f"letters, digits, . _ - (at most 64), not {OWNED_NAME!r}", code="name"
        )
    parts = check_address(cluster.address)
    path = cluster.token_path and str(Path(cluster.token_path).expanduser().absolute())
    cluster = replace(cluster, address=cluster.address.rstrip("/"), token_path=path)
    if (
        cluster.token()
        and parts.scheme == "http"
        and not is_loopback(parts)
        and not cluster.allow_insecure_http
    ):
        message = f"the token would cross the network in clear to {cluster.address}"
        mend = "use https or a tunnel, or accept it with --allow-insecure-http"
        raise BadInput.one("address", message, mend, code="insecure")
    _save([each for each in list_clusters() if each.name != cluster.name] + [cluster])


def remove_cluster(name: str) -> None:
    """Take a cluster off the list; its jobs and runs stay as they are.

    Raises:
        BadInput: no cluster has that name.
    """
    clusters = list_clusters()
    if name not in {each.name for each in clusters}:
        raise _unknown(name, clusters)
    _save([each for each in clusters if each.name != name])


def find_cluster(address: str) -> Cluster:
    """Return the listed cluster of that name or address; an address on this machine needs no listing.

    A cluster that is not listed gets no token. Nothing is sent anywhere here: a stranger is refused before
    its name is even looked up.

    Raises:
        BadInput: not a name, not a URL, or not on the list.
    """
    clusters = list_clusters()
    for cluster in clusters:
        if address in {cluster.name, cluster.address} or address.rstrip("/") == cluster.address.rstrip("/"):
            check_address(cluster.address)
            return cluster
    if "/" not in address and ":" not in address:
        raise _unknown(address, clusters)
    if is_loopback(check_address(address)):
        return Cluster("", address.rstrip("/"))
    mend = f"add it if you trust it: raylm cluster add NAME {address} --token-path FILE"
    raise BadInput.one("address", f"{address} is not in your cluster list", mend, code="not_listed")


def address_from_environment() -> str | None:
    """Return the dashboard that RAY_API_SERVER_ADDRESS or RAY_ADDRESS names; host:port alone is none."""
    for variable in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        address = os.environ.get(variable, "")
        if address.startswith(("http://", "https://")):
            return address
    return None


def check_address(address: str) -> SplitResult:
    """Return the parts of a dashboard's address.

    Raises:
        BadInput: it is not http(s)://host[:port].
    """
    try:
        parts = urlsplit(address)
        is_plain = parts.port != 0 and not (parts.username or parts.query or parts.fragment)
    except ValueError:
        parts, is_plain = urlsplit(""), False
    if parts.scheme in {"http", "https"} and parts.hostname and is_plain and address.isprintable():
        return parts
    mend = "write it as http://127.0.0.1:8265 (the dashboard, not ray:// or port 6379)"
    raise BadInput.one("address", f"{address!r} is not the URL of a Ray dashboard", mend, code="address")


def is_loopback(parts: SplitResult) -> bool:
    """Tell whether an address is this machine by its spelling alone; no name is looked up."""
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _parse(entry: Any) -> Cluster:
    try:
        return Cluster(**entry)
    except TypeError:
        mend = "each entry has name, address and, where needed, token_path, storage, allow_insecure_http"
        raise BadInput.one("clusters", f"in {settings_path()}: {entry!r} is not a cluster", mend) from None


def _save(clusters: list[Cluster]) -> None:
    entries = [{key: value for key, value in asdict(each).items() if value} for each in clusters]
    write_settings({**read_settings(), "clusters": entries})


def _unknown(name: str, clusters: list[Cluster]) -> BadInput:
    known = [each.name for each in clusters]
    close = nearest(name, known)
    mend = f"did you mean {close[0]}?" if close else f"known: {', '.join(known) or 'none'}; a URL works too"
    return BadInput.one("address", f"no cluster named {name!r}", mend, code="not_listed")
