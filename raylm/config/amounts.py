"""Sizes as a person reads them."""


def size_text(num_bytes: int) -> str:
    """Return a size in decimal units: `12.3 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if num_bytes >= size:
            return f"{num_bytes / size:.1f} {unit}"
    return f"{num_bytes} B"
