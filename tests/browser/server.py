"""A JupyterLab server that a test may end and start again on its port, as a person's machine would."""

import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.ending import end_server

START_S = 90
END_S = 45  # a server ends its kernels one after the other


class Server:
    """The server's process; ending it ends its kernels, and nothing that they or it started for good."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, url: str):
        self._command, self._environment, self._folder, self._url = command, environment, folder, url
        self._log = Path(environment["HOME"]) / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, cwd=self._folder
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(self._url, timeout=1):
                return
            time.sleep(0.1)
        raise RuntimeError(self._log.read_text()[-3000:])

    def end(self) -> None:
        if self._process is not None:
            end_server(self._process, END_S)
