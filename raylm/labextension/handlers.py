"""The routes under `/raylm/`. Each verb wants a person who is logged in; a change wants their XSRF token too.

GET  raylm/api/<question>?args={...}   a read that takes no recipe
POST raylm/api/<question>              any read or command; the body is a JSON object of arguments
GET  raylm/screens                     the names of the built screens
GET  raylm/static/<screen>.js|css      the built screens, and `lab`, what JupyterLab's shell needs besides

Either verb takes `?storage=URI` too: one of the storages that the server or the person's settings name.

An answer is {"result": ...} or {"error": {"message", "mend", "field", "problems"}}. What the store refuses
has status 200: the request was understood. A request that was not has status 400, 404, 405 or 413 and an
error of the same form.
"""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from raylm.api.wire import encode, refusal
from raylm.labextension.answers import Answers

LARGEST_BODY = 10**6  # bytes
SCREENS = Path(__file__).parents[1] / "widgets" / "views" / "dist"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_SHELL = "lab"  # no screen: raylm/widgets/views/src/lab.ts

Args = dict[str, Any]
Route = tuple[str, type[APIHandler], dict[str, Any]]


class _Refused(Exception):  # noqa: N818 - as the store's refusals
    """The request is not one that the store could answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status = status
        self.message = message


class RaylmHandler(APIHandler):
    """What the routes share: who may come in, and how they refuse."""

    auth_resource = "raylm"

    @web.authenticated
    @authorized
    def options(self, *_: str) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Say nothing: where the base class would, pages of another site could ask with a token."""
        self.set_status(HTTPStatus.NO_CONTENT)

    def refuse(self, refused: _Refused) -> None:
        """Answer with the status and one sentence."""
        self.set_status(refused.status)
        self.finish(encode(refusal(refused.message)))


class QuestionHandler(RaylmHandler):
    """One question to the store."""

    def initialize(self, answers: Answers) -> None:
        """Take what all requests share."""
        self._answers = answers

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Answer a read whose arguments stand in the address."""
        try:
            self._check(name)
            if not self._answers.may_be_link(name):
                self.set_header("Allow", "POST")
                _refuse(HTTPStatus.METHOD_NOT_ALLOWED, f"{name} must be asked by POST.")
            given = self.get_query_arguments("args", strip=False)
            if len(given) > 1:
                _refuse(HTTPStatus.BAD_REQUEST, "args is given more than once.")
            args = _parse(given[0].encode(), "args") if given else {}
        except _Refused as refused:
            return self.refuse(refused)
        return await self._answer(name, args)

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Answer a read, or carry out a command."""
        try:
            self._check(name)
            args = _parse(self._body(), "The body")
        except _Refused as refused:
            return self.refuse(refused)
        return await self._answer(name, args)

    def _check(self, name: str) -> None:
        if not self._answers.is_question(name):
            _refuse(HTTPStatus.NOT_FOUND, f"{name} is no question of a screen.")

    def _body(self) -> bytes:
        if len(self.request.body) > LARGEST_BODY:
            message = f"The body has {len(self.request.body):,} bytes, the most is {LARGEST_BODY:,}."
            _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        return self.request.body

    async def _answer(self, name: str, args: Args) -> None:
        answer = await self._answers.answer(name, args, self.get_query_argument("storage", ""))
        self.set_header("Cache-Control", "no-store")
        self.finish(answer)


class ScreensHandler(RaylmHandler):
    """Which screens there are."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer their names, in no order that means anything."""
        names = sorted(path.stem for path in SCREENS.glob("*.js") if path.stem != _SHELL)
        self.finish(encode({"result": names}))


class ScreenHandler(RaylmHandler):
    """The built screens, and nothing else of the disk."""

    @web.authenticated
    @authorized
    def get(self, name: str) -> None:
        """Answer one of the files that lie in the folder."""
        found = {path.name: path for path in SCREENS.iterdir() if path.suffix in _TYPES}.get(name)
        if found is None:
            return self.refuse(_Refused(HTTPStatus.NOT_FOUND, f"There is no {name}."))
        self.set_header(
            "Cache-Control", "no-cache"
        )  # asked again each time, sent again only when it has changed
        self.finish(found.read_bytes(), set_content_type=_TYPES[found.suffix])
        return None


def routes(answers: Answers) -> list[Route]:
    """Return every route: pattern behind the server's base address, handler, what it is made with."""
    return [
        (r"/raylm/api/([A-Za-z0-9_-]+)", QuestionHandler, {"answers": answers}),
        (r"/raylm/screens", ScreensHandler, {}),
        (r"/raylm/static/([A-Za-z0-9_.-]+)", ScreenHandler, {}),
    ]


def _parse(text: bytes, what: str) -> Args:
    try:
        args = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse(HTTPStatus.BAD_REQUEST, f"{what} must be a JSON object; it cannot be read as JSON.")
    if not isinstance(args, dict):
        _refuse(HTTPStatus.BAD_REQUEST, f"{what} must be a JSON object, not a {type(args).__name__}.")
    return args


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse(status: HTTPStatus, message: str) -> NoReturn:
    raise _Refused(status, message)
