"""IP addresses, version 4 and 6, checked by the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from raylm.data.personal import Hit, Recogniser, is_marked, mark

_V4 = re.compile(r"\d(?<![\w.].)\d{0,2}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_V6 = re.compile(
    r"[0-9A-Fa-f](?<![\w.:].)[0-9A-Fa-f]{0,3}:[0-9A-Fa-f:]{2,34}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])"
)
# Global unicast 2000::/3, link-local fe80::/10, unique local fc00::/7 (RFC 4291, section 2.4; RFC 4193).
_PREFIX = re.compile(r"(?:[23][0-9a-f]{3}|fe[89ab][0-9a-f]|f[cd][0-9a-f]{2}):", re.IGNORECASE)
_VERSION = mark("version|ver|release|build|section|sec|chapter|table|figure|python|firmware")
_ADDRESS = mark("ips?|ip address|address|host|server|client|ping|client_ip|ip_address|from")


_MOST_COLONS = 7  # of an IPv6 address that is written out


def recogniser(*, private: bool) -> Recogniser:
    """Return the recogniser.

    Args:
        private: whether addresses that name nobody on the internet count: private, loopback, documentation.
    """
    counts = _exists if private else _is_public

    def find(text: str) -> Iterator[Hit]:
        hits = [Hit(*match.span(), "ip", "v4") for match in _V4.finditer(text) if _is_no_version(match)]
        if "::" in text or text.count(":") >= _MOST_COLONS:
            hits += [Hit(*match.span(), "ip", "v6") for match in _V6.finditer(text) if _is_prefixed(match)]
        yield from sorted(hit for hit in hits if counts(text[hit.start : hit.end]))

    return find


def _is_no_version(match: re.Match[str]) -> bool:
    """Return whether a dotted quad is meant as an address: 1.2.3.4 is a section or a version more often."""
    if len(match[0]) == len("1.2.3.4"):
        return is_marked(match.string, match.start(), _ADDRESS)
    return not is_marked(match.string, match.start(), _VERSION)


def _is_prefixed(match: re.Match[str]) -> bool:
    """Return whether it begins as addresses in use do; a slice, a time or a name such as `a::b` does not."""
    return _PREFIX.match(match[0]) is not None


def _is_public(written: str) -> bool:
    return _exists(written) and ip_address(written).is_global and not ip_address(written).is_multicast


def _exists(written: str) -> bool:
    try:
        ip_address(written)
    except ValueError:
        return False
    return True
