"""A dashboard made of a real HTTP server, for the answers that a healthy Ray gives too rarely."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest


class Request(NamedTuple):
    method: str
    path: str
    authorization: str | None
    body: dict


class FakeDashboard:
    """Answers each request with `answer(request) -> (status, text)`, and keeps what it was asked."""

    def __init__(self):
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}
        self.answer: Callable[[Request], tuple[int, str]] = lambda _: (200, "{}")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self):
        dashboard = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or "{}")
                request = Request(self.command, self.path, self.headers.get("Authorization"), body)
                dashboard.requests.append(request)
                status, text = dashboard.answer(request)
                self.send_response(status)
                for name, value in dashboard.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def make_dashboard() -> Iterator[Callable[[], FakeDashboard]]:
    made = []

    def make():
        made.append(FakeDashboard())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def dashboard(make_dashboard) -> FakeDashboard:
    return make_dashboard()
