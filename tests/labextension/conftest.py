"""A real Jupyter server over a storage of its own, asked as a program or as a browser does."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from raylm.runs.catalogue import list_runs
from tests.ending import end_server

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-the-test"
START_S = 60


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A Jupyter server on a loopback port, which may be stopped and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.storage = str(home / "runs")
        self.folder = home / "project"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        config = home / "jupyter" / "config" / "jupyter_server_config.d"
        config.mkdir(parents=True)
        shipped = ROOT / "jupyter-config" / "jupyter_server_config.d" / "raylm.json"
        (config / shipped.name).write_bytes(shipped.read_bytes())  # as an installed wheel enables it

    def start(self) -> None:
        self.facts_path = self.home / f"facts-{time.monotonic_ns()}.json"
        command = [
            sys.executable, str(Path(__file__).with_name("server.py")), str(self.facts_path), "--no-browser",
            "--allow-root", "--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.folder}",
            f"--Raylm.storage={self.storage}",
        ]  # fmt: skip
        with (self.home / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                command, env=environment(self.home), stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError):
                if self.facts_path.exists() and self.request("GET", "/api").status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(self.log()[-3000:])

    def stop(self) -> None:
        assert self.process is not None
        end_server(self.process, 20)

    def log(self) -> str:
        return (self.home / "server.log").read_text()

    def facts(self) -> dict[str, Any]:
        return json.loads(self.facts_path.read_text())

    def request(self, verb: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; a body that is no bytes is sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(
                verb, path, sent, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def ask(self, name: str, /, **args: Any) -> Any:
        """Ask by POST, as a screen does; return the result."""
        answer = self.request("POST", f"/raylm/api/{name}", args, Authorization=f"token {TOKEN}")
        assert answer.status == 200, answer
        assert "error" not in answer.json, answer.json
        return answer.json["result"]

    def get(self, name: str, /, **args: Any) -> Answer:
        query = urlencode({"args": json.dumps(args)})
        return self.request("GET", f"/raylm/api/{name}?{query}", Authorization=f"token {TOKEN}")

    def log_in(self) -> dict[str, str]:
        """Log in as a browser does; return its cookies."""
        cookies = self.cookies(self.request("GET", "/login"))
        form = urlencode({"password": TOKEN, "_xsrf": cookies["_xsrf"]}).encode()
        kind = "application/x-www-form-urlencoded"
        answer = self.request("POST", "/login", form, Cookie=header_of(cookies), Content_Type=kind)
        assert answer.status == 302, answer
        return cookies | self.cookies(answer)

    @staticmethod
    def cookies(answer: Answer) -> dict[str, str]:
        text = re.sub(r"(?i)expires=[^;]*;", "", answer.headers.get("Set-Cookie", ""))
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}


def header_of(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    server = Server(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        for run in list_runs([server.storage]):  # a run does not depend on the server
            status = run.status()
            if status.is_live and status.owner:
                os.kill(status.owner["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started


def environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": "", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
        "JUPYTER_CONFIG_DIR": "jupyter/config", "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    }  # fmt: skip
    own = {name: str(home / folder) for name, folder in folders.items()}
    # The server must find this copy of raylm wherever it is started, as an installed one is found.
    return {**os.environ, **own, "JUPYTER_PLATFORM_DIRS": "1", "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
