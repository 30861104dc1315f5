"""Run names and run ids: short, and safe in a path, a URL and a shell."""

import re
import secrets
import time

from raylm.config.errors import BadInput

_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MADE = re.compile(r"(\d{8}-\d{6})-.+-[0-9a-f]{4}")
_WINDOWS = {"CON", "PRN", "AUX", "NUL"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)
}
_ROOM = 64 - len("20260101-000000-") - len("-0000")


def check_run_name(name: str, field: str = "name") -> str:
    """Return the name if it may name a run on every filesystem.

    Raises:
        BadInput: it is too long, has characters other than letters, digits and `._-`, or is kept by Windows.
    """
    problem = _name_problem(name)
    if problem:
        mend = "use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit"
        raise BadInput.one(field, f"{name[:80]!r} {problem}", mend, code="run_name")
    return name


def is_run_name(name: str) -> bool:
    """Tell whether the name may name a run on every filesystem."""
    return not _name_problem(name)


def make_run_id(name: str) -> str:
    """Return `<utc time>-<name>-<4 hex>`, at most 64 characters; a long name is cut."""
    check_run_name(name)
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{name[:_ROOM]}-{secrets.token_hex(2)}"


def made_at(run_id: str) -> str | None:
    """Return the UTC time text inside an id from `make_run_id`, or None for an id that a person chose."""
    match = _MADE.fullmatch(run_id)
    return match.group(1) if match else None


def _name_problem(name: str) -> str:
    if len(name) > 64:  # noqa: PLR2004 - said in the mend
        return f"has {len(name)} characters"
    if not _SHAPE.fullmatch(name):
        return "is not a run name"
    if name.endswith("."):
        return "ends with a dot"
    if name.split(".", maxsplit=1)[0].upper() in _WINDOWS:
        return "is a device name on Windows"
    return ""
