"""A dashboard made of a real HTTP server, for the answers that a healthy Ray gives too rarely."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    method: str
    path: str
    authorization: str | None
    body: dict


class FakeDashboard:
    """Answers each request with `answer(request) -> (status, text)`, and keeps what it was asked."""

    def __init__(self, port: int = 0):
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}
        self.answer: Callable[[Request], tuple[int, str]] = lambda _: (200, "{}")
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
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


def as_ray(nodes: list[dict[str, Any]], jobs: list[dict[str, Any]] | None = None):
    """Answer as Ray 2.60 does for these nodes (see `node`) and jobs (see `job`)."""
    answers = {
        "/api/version": {"version": "4", "ray_version": "2.60.0"},
        "/api/jobs/": jobs or [],
        "/api/v0/nodes": {"data": {"result": {"result": [each["row"] for each in nodes]}}},
        "/nodes": {
            "data": {
                "summary": [each["host"] for each in nodes if each["host"]],
                "nodeLogicalResources": {each["row"]["node_id"]: each["in_use"] for each in nodes},
            }
        },
    }

    def answer(request: Request) -> tuple[int, str]:
        found = answers.get(request.path.partition("?")[0])
        return (404, "") if found is None else (200, json.dumps(found))

    return answer


def node(name: str, *, gpus: int = 0, ended: float = 0, why: str | None = None) -> dict[str, Any]:
    """A node with 4 CPUs, of which 1 is in use, or one that was lost at `ended`, in seconds since 1970."""
    node_id = name.encode().hex()
    resources = {"CPU": 4.0, "memory": 8e9, **({"GPU": float(gpus)} if gpus else {})}
    return {
        "row": {
            "node_id": node_id, "node_ip": "10.0.0.7", "is_head_node": name == "head", "node_name": "",
            "state": "DEAD" if ended else "ALIVE", "state_message": why, "resources_total": resources,
            "end_time_ms": int(ended * 1000),
        },
        "host": {
            "hostname": name, "cpu": 37.5, "mem": [16_000_000_000, 12_000_000_000, 25.0, 4_000_000_000],
            "gpus": [{"memoryUsed": 30_000, "memoryTotal": 80_000} for _ in range(gpus)],
            "raylet": {"nodeId": node_id},
        },
        "in_use": "1.0/4.0 CPU\n" + (f"0.5/{gpus}.0 GPU\n" if gpus else "") + "0B/8GiB memory",
    }  # fmt: skip


def job(job_id: str, status: str = "RUNNING") -> dict[str, Any]:
    return {
        "type": "SUBMISSION", "submission_id": job_id, "job_id": None, "status": status,
        "start_time": 1_700_000_000_000,
    }  # fmt: skip
