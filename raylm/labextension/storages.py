"""Which storage a page may have looked in: one that the server or the person's settings name, no other."""

from raylm.config.errors import BadInput
from raylm.config.places import settings_path
from raylm.runs.storages import known


def chosen(wanted: str, own: str | None) -> str | None:
    """Return the storage to look in; None: wherever raylm looks.

    Nothing is opened here: a path that only a browser names is refused by comparison alone.

    Args:
        wanted: What the page asks for; nothing: as the server is set.
        own: The storage that the server is set to, which is then the only one.

    Raises:
        BadInput: it is none of those that may be looked in.
    """
    if not wanted:
        return own
    listed = [own] if own else known()
    found = next((uri for uri in listed if uri.rstrip("/") == wanted.rstrip("/")), None)
    if found is not None:
        return found
    place = "The Jupyter server" if own else str(settings_path())
    message = f"{wanted[:200]!r} is none of your storages: {', '.join(listed)}"
    mend = f"{place} says which there are. Choose one of these in RayLM's settings, or none for all."
    raise BadInput.one("storage", message, mend, code="storage")
