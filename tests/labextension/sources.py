"""Whether JupyterLab's extension was built of the sources that lie beside it, told without node.

`python -m tests.labextension.sources`, the end of `make shell`, notes what it was built of and what came out.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

SHELL = Path(__file__).parents[2] / "raylm" / "labextension" / "shell"
DIST = SHELL.parent / "dist"
NOTE = SHELL / "built.json"
# All that the build reads; what it takes from elsewhere is fixed by the lock file.
READ = ("package.json", "yarn.lock", "tsconfig.json", "src/**/*", "style/**/*", "schema/**/*")


def now() -> dict[str, str]:
    """Return the digests of the sources and of the built files, as they are now."""
    sources = [path for pattern in READ for path in SHELL.glob(pattern)]
    return {"sources": digest(SHELL, sources), "built": digest(DIST, DIST.rglob("*"))}


def digest(root: Path, paths: Iterable[Path]) -> str:
    """Return one SHA-256 of the files' names, below the root, and contents."""
    found = hashlib.sha256()
    for path in sorted({path for path in paths if path.is_file()}):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return found.hexdigest()


if __name__ == "__main__":
    NOTE.write_text(json.dumps(now(), indent=1) + "\n")
