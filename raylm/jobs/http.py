"""JSON over HTTP to a Ray dashboard: the token of one cluster goes to that cluster and nowhere else."""

import http.client
import json
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

from raylm.config.errors import BadInput, RunFailed

CONNECT_SECONDS = 4.0
"""For looking up the name and connecting, together: a person knows within 5 s, start of Python included."""
READ_SECONDS = 30.0
LARGEST_ANSWER = 64 * 2**20
"""Bytes; what is longer comes from no dashboard."""


class HttpError(RunFailed):
    """The dashboard answered with an error; `text` is its body, at most 64 KiB."""

    def __init__(self, address: str, status: int, text: str) -> None:
        last = (text.strip().splitlines() or [""])[-1]  # of a traceback, the line that says what happened
        super().__init__(f"{address} answered {status}: {last[:500]}", "see: raylm cluster status")
        self.status = status
        self.text = text


class Dashboard:
    """One Ray dashboard, by its base address. No redirect is followed and no proxy is used."""

    def __init__(self, address: str, token: str | None = None, seconds: float | None = None) -> None:
        """Keep the address `http(s)://host:port`; nothing is sent before the first call.

        `token` is sent as a bearer token with each request. `seconds` is the most that connecting, and then
        the answer, may take; by default 4 s and 30 s.
        """
        self.address = address.rstrip("/")
        self._connect_seconds = min(seconds or CONNECT_SECONDS, CONNECT_SECONDS)
        self._read_seconds = seconds or READ_SECONDS
        self._prefix = urlsplit(self.address).path  # a dashboard behind an ingress may have one
        self._token = token

    def get(self, path: str) -> Any:
        """Return the JSON found at `path`.

        Raises:
            BadInput: nobody answers there, or the token is missing or wrong.
            HttpError: any other status than 200.
        """
        return self._parsed(self._ask("GET", path, None))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send JSON to `path` and return the JSON of the answer; errors as in `get`."""
        return self._parsed(self._ask("POST", path, json.dumps(body or {}).encode()))

    def put(self, path: str, data: bytes) -> None:
        """Put bytes at `path`; errors as in `get`."""
        self._ask("PUT", path, data)

    def _ask(self, method: str, path: str, body: bytes | None) -> str:
        connection = self._connect()
        try:
            connection.request(method, self._prefix + path, body, self._headers())
            answer = connection.getresponse()
            text = answer.read(LARGEST_ANSWER).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        finally:
            connection.close()
        self._check(answer.status, text)
        return text

    def _headers(self) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"Content-Type": "application/json", "Accept": "application/json", **authorization}

    def _check(self, status: int, text: str) -> None:
        if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
            state = "wants a token" if status == http.client.UNAUTHORIZED else "refuses the token it was sent"
            mend = f"list it with its token: raylm cluster add NAME {self.address} --token-path FILE"
            raise BadInput.one("address", f"{self.address} {state}", mend, code="token")
        if status != http.client.OK:
            raise HttpError(self.address, status, text[:65536])

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise self.stranger() from None

    def stranger(self) -> BadInput:
        """Return the error for an answer that no Ray dashboard gives."""
        mend = "name the address of a Ray dashboard, such as http://127.0.0.1:8265"
        return BadInput.one("address", f"{self.address} is not a Ray dashboard", mend, code="address")

    def _connect(self) -> http.client.HTTPConnection:
        """Connect in a thread, so that a name server that hangs costs no more than a closed port."""
        connection = _connection(self.address, self._connect_seconds)
        errors: list[OSError] = []

        def connect() -> None:
            try:
                connection.connect()
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(self._connect_seconds)
        if thread.is_alive():
            raise self._unreachable(f"no answer within {self._connect_seconds:.0f} s")
        if errors:
            raise self._unreachable(errors[0].strerror or str(errors[0])) from errors[0]
        connection.sock.settimeout(self._read_seconds)
        return connection

    def _unreachable(self, reason: str) -> BadInput:
        message = f"cannot reach {self.address} ({reason})"
        return BadInput.one(
            "address", message, "is the cluster up? see: raylm cluster status", code="unreachable"
        )


def _connection(address: str, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    assert parts.hostname, "clusters.check_address lets no address without a host through"
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=seconds, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
