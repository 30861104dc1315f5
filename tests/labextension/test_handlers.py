"""Who may ask over HTTP and what they get, of a real server."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from raylm.api.store import Store
from tests.labextension.conftest import ROOT, TOKEN, header_of
from tests.tiny import smallest_values

QUESTIONS = sorted({**Store().reads, **Store().commands})
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOGGED_IN = {"Authorization": f"token {TOKEN}"}


@pytest.fixture
def values(tmp_path: Path) -> dict:
    return smallest_values(tmp_path)


def every_verb(server):
    """A path and a verb for each verb of each route that the application has."""
    examples = {
        "QuestionHandler": ["runs", "launch", "check"],
        "ScreenHandler": ["monitor.js"],
        "ScreensHandler": [""],
    }
    for route in server.facts()["routes"]:
        for name in examples[route["handler"]]:
            path = re.sub(r"\(.*\)", name, route["pattern"].removesuffix("$"))
            assert re.fullmatch(route["pattern"], path)
            yield from ((verb, path) for verb in route["verbs"])


def every_other_verb(server):
    """A path and a verb for each verb that HTTP has and a route does not."""
    meant = set(every_verb(server))
    paths = {path for _, path in meant}
    yield from {(verb, path) for verb in VERBS for path in paths} - meant


def test_each_route_has_the_verbs_that_are_meant_and_no_other(server):
    found = {route["handler"]: sorted(route["verbs"]) for route in server.facts()["routes"]}
    assert found == {
        "QuestionHandler": ["GET", "OPTIONS", "POST"],
        "ScreenHandler": ["GET", "OPTIONS"],
        "ScreensHandler": ["GET", "OPTIONS"],
    }


def test_the_server_finds_no_verb_without_a_login(server):
    assert "registered for /raylm" not in server.log()  # other extensions may have such verbs
    assert "raylm.labextension | extension was successfully loaded" in server.log()


def test_nobody_is_let_in_without_a_token(server):
    for verb, path in every_verb(server):
        body = {} if verb == "POST" else None
        assert server.request(verb, path, body).status == 403, (verb, path)
        wrong = server.request(verb, path, body, Authorization="token guess")
        assert wrong.status == 403, (verb, path)


def test_a_browser_changes_nothing_without_its_xsrf_token(server):
    cookies = server.log_in()
    for verb, path in every_verb(server):
        if verb != "POST":
            continue
        answer = server.request(verb, path, {}, Cookie=header_of(cookies))
        assert answer.status == 403, path
        assert b"_xsrf" in answer.body
    with_it = {"Cookie": header_of(cookies), "X-XSRFToken": cookies["_xsrf"]}
    assert server.request("POST", "/raylm/api/runs", {}, **with_it).status == 200


def test_a_verb_that_a_route_does_not_have_is_refused_whoever_asks(server):
    cookies = server.log_in()
    as_browser = {"Cookie": header_of(cookies), "X-XSRFToken": cookies["_xsrf"]}
    for verb, path in every_other_verb(server):
        assert server.request(verb, path, {}, **LOGGED_IN).status == 405, (verb, path)
        assert server.request(verb, path, {}, **as_browser).status == 405, (verb, path)
        assert server.request(verb, path, {}).status in (403, 405), (verb, path)
        if verb != "HEAD":  # which changes nothing, so that no page needs a token for it
            assert server.request(verb, path, {}, Cookie=header_of(cookies)).status == 403, (verb, path)


def test_a_page_of_another_site_gets_nothing(server):
    cookies = server.log_in()
    as_browser = {"Cookie": header_of(cookies), "X-XSRFToken": cookies["_xsrf"]}
    for verb, path in every_verb(server):
        body = {} if verb == "POST" else None
        answer = server.request(verb, path, body, Origin="http://elsewhere.example", **as_browser)
        assert answer.status in (403, 404) or (verb == "OPTIONS" and answer.body == b""), (verb, path)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_name_that_another_site_points_here_gets_nothing(server):
    for verb, path in every_verb(server):
        body = {} if verb == "POST" else None
        answer = server.request(verb, path, body, Host="elsewhere.example", **LOGGED_IN)
        assert answer.status == 403, (verb, path)


def test_a_link_changes_nothing_and_runs_no_recipe(server):
    for name in ("launch", "stop", "resume", "check", "preview"):
        answer = server.get(name)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST"), name
        assert answer.json["error"]["message"] == f"{name} must be asked by POST."


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"[1, 2]", 400, "The body must be a JSON object, not a list."),
        (b'"text"', 400, "not a str"),
        (b"", 400, "cannot be read as JSON"),
        (b"{", 400, "cannot be read as JSON"),
        (b"\xff\xfe{}", 400, "cannot be read as JSON"),
        (b'{"limit": NaN}', 400, "cannot be read as JSON"),
        (b"[" * 900_000, 400, "cannot be read as JSON"),
        (b'{"search": "' + b"a" * 1_000_000 + b'"}', 413, "the most is 1,000,000"),
    ],
)
def test_a_body_that_is_no_question_is_refused_in_a_sentence(server, body, status, words):
    answer = server.request("POST", "/raylm/api/runs", body, **LOGGED_IN)
    assert answer.status == status
    assert words in answer.json["error"]["message"]


def test_no_question_takes_a_body_that_is_none(server):
    for name in QUESTIONS:
        for body, status in ((b"[]", 400), (b"null", 400), (b"{", 400), (b"{}" + b" " * 10**6, 413)):
            answer = server.request("POST", f"/raylm/api/{name}", body, **LOGGED_IN)
            assert answer.status == status, (name, body[:9])
            assert set(answer.json["error"]) == {"message", "mend", "field", "problems"}, name


def test_no_question_takes_an_argument_that_it_does_not_know(server):
    for name in QUESTIONS:
        answer = server.request("POST", f"/raylm/api/{name}", {"colour": "red"}, **LOGGED_IN)
        assert answer.status == 200, name
        assert answer.json["error"]["message"].startswith(f"method: {name}: "), name


@pytest.mark.parametrize("query", ["args=[]", "args={", "args=", "args={}&args={}", "args=%FF"])
def test_an_address_that_is_no_question_is_refused(server, query):
    answer = server.request("GET", f"/raylm/api/runs?{query}", **LOGGED_IN)
    assert answer.status == 400
    assert answer.json


def test_a_name_that_is_no_question_is_not_found(server):
    for name in ("nothing", "answer", "_method", "__class__", "reads"):
        for verb in ("GET", "POST"):
            assert server.request(verb, f"/raylm/api/{name}", {}, **LOGGED_IN).status == 404


def test_what_the_store_refuses_is_an_answer(server, values):
    for name, args, words in (
        ("runs", {"colour": "red"}, "colour"),
        ("runs", {"limit": 10**9}, "limit"),
        ("run", {"run_id": "none"}, "no run answers"),
        ("run", {"run_id": "/etc"}, "no id of a run"),
        ("history", {"run_id": "../runs"}, "no id of a run"),
        ("launch", {"values": {**values, "name": "../x"}, "run_id": "x"}, "name"),
        ("launch", {"values": [], "run_id": "x"}, ""),
    ):
        answer = server.request("POST", f"/raylm/api/{name}", args, **LOGGED_IN)
        assert answer.status == 200
        assert words in answer.json["error"]["message"]
        assert set(answer.json["error"]) == {"message", "mend", "field", "problems"}


def test_answers_are_json_that_no_cache_keeps(server):
    answer = server.get("runs", limit=1)
    assert (answer.status, answer.json) == (200, {"result": []})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert server.get("run_id", name="tiny").json["result"].startswith("20")


def test_screens_are_named_and_served_and_nothing_beside_them(server):
    names = server.request("GET", "/raylm/screens", **LOGGED_IN).json["result"]
    assert {"launch", "monitor"} <= set(names)
    assert "lab" not in names
    for name, kind in (("monitor.js", "text/javascript"), ("monitor.css", "text/css")):
        answer = server.request("GET", f"/raylm/static/{name}", **LOGGED_IN)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        built = ROOT / "raylm" / "widgets" / "views" / "dist" / name
        assert answer.body == built.read_bytes()
        again = server.request(
            "GET", f"/raylm/static/{name}", If_None_Match=answer.headers["Etag"], **LOGGED_IN
        )
        assert (again.status, again.body) == (304, b"")
    for name in "..", "../build.mjs", "%2e%2e/build.mjs", "..%2fbuild.mjs", "no.js", "build.mjs", "%00.js":
        assert server.request("GET", f"/raylm/static/{name}", **LOGGED_IN).status == 404, name


def test_a_run_is_launched_watched_stopped_and_resumed_with_no_kernel(server, values):
    values["train"] = {**values["train"], "max_steps": 100_000}
    check = server.ask("check", values=values, is_deep=True)
    assert check["problems"] == []
    run_id = server.ask("run_id", name="tiny")
    assert server.ask("launch", values=values, run_id=run_id) == {"run_id": run_id, "is_new": True}
    assert server.ask("launch", values=values, run_id=run_id) == {"run_id": run_id, "is_new": False}

    wait(lambda: server.ask("run", run_id=run_id)["step"] >= 5)
    first = server.ask("history", run_id=run_id)
    assert first["points"]["train/loss"][0][0] == 1
    wait(lambda: server.get("history", run_id=run_id, cursor=first["cursor"]).json["result"]["points"])
    later = server.ask("history", run_id=run_id, cursor=first["cursor"])
    assert not later["is_whole"]
    assert later["points"]["train/loss"][0][0] > first["points"]["train/loss"][-1][0]
    assert [run["run_id"] for run in server.ask("runs", search="tiny")] == [run_id]
    assert len(server.get("schema").json["result"]["sections"]) > 5
    assert run_id in [one["run_id"] for one in server.ask("origins")]

    server.stop()  # the run goes on, and a server that is started again knows all of it
    assert psutil.pid_exists(first_pid := pid_of(server, run_id))
    server.start()
    assert pid_of(server, run_id) == first_pid
    assert server.ask("history", run_id=run_id)["points"]["train/loss"][0][0] == 1

    assert server.ask("stop", run_id=run_id)["status"] in ("stopping", "stopped")
    wait(lambda: server.ask("run", run_id=run_id)["status"] == "stopped")
    step = server.ask("run", run_id=run_id)["step"]
    server.ask("resume", run_id=run_id, overrides=[f"train.max_steps={step + 5}"])
    wait(lambda: server.ask("run", run_id=run_id)["status"] == "finished")
    assert server.ask("run", run_id=run_id)["step"] == step + 5
    time.sleep(0.5)  # longer than the server takes to write what it has imported
    assert server.facts()["imported"] == [], "the server pays for none of these"


def test_an_answerer_that_died_waiting_is_not_asked(server, values):
    server.ask("preview", values=values)
    waiting = answerers(server)
    for answerer in waiting:
        answerer.kill()
    wait(lambda: all(answerer.status() == psutil.STATUS_ZOMBIE for answerer in waiting))
    assert "yaml" in server.ask("preview", values=values)
    assert not set(answerers(server)) & set(waiting)


def test_an_answerer_that_dies_asked_is_a_refusal_and_the_next_question_is_answered(server, values):
    server.ask("preview", values=values)
    [answerer.suspend() for answerer in answerers(server)]
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(server.request, "POST", "/raylm/api/preview", {"values": values}, **LOGGED_IN)
        time.sleep(1)
        assert not asked.done()
        [answerer.kill() for answerer in answerers(server)]
        answer = asked.result(60)
    assert answer.status == 200
    assert "ended without an answer" in answer.json["error"]["message"]
    assert "yaml" in server.ask("preview", values=values)


def test_answerers_end_with_the_server(server, values):
    server.ask("preview", values=values)
    waiting = answerers(server)
    assert waiting
    server.stop()
    _, alive = psutil.wait_procs(waiting, 10)
    server.start()
    assert alive == []


def answerers(server):
    children = psutil.Process(server.process.pid).children()
    children = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in children if "raylm.labextension.answer_loop" in child.cmdline()]


def pid_of(server, run_id):
    return json.loads((Path(server.storage) / run_id / "status.json").read_text())["owner"]["pid"]


def wait(is_so, seconds=120):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)
