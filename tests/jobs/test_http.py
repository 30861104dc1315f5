import socket
import time

import pytest

from raylm.config.errors import BadInput
from raylm.jobs.http import Dashboard, HttpError


def test_a_closed_port_is_refused_at_once_with_the_mend(free_port):
    started = time.monotonic()
    with pytest.raises(
        BadInput, match=r"cannot reach http://127.* is the cluster up\? see: raylm cluster status"
    ):
        Dashboard(f"http://127.0.0.1:{free_port}").get("/api/version")
    assert time.monotonic() - started < 1


def test_a_host_that_never_answers_costs_less_than_five_seconds():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        fillers = []
        for _ in range(3):  # the queue of a server that accepts nothing: further connections hang
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            fillers.append(filler)
        started = time.monotonic()
        with pytest.raises(BadInput, match=r"no answer within 4 s|timed out"):
            Dashboard(f"http://127.0.0.1:{address[1]}").get("/api/version")
        assert 3 < time.monotonic() - started < 5
        for filler in fillers:
            filler.close()


def test_a_redirect_is_not_followed_so_the_token_stays(make_dashboard):
    first, other = make_dashboard(), make_dashboard()
    first.answer = lambda _: (302, "")
    first.headers = {"Location": other.address}
    with pytest.raises(HttpError) as error:
        Dashboard(first.address, "secret").get("/api/version")
    assert error.value.status == 302
    assert first.requests[0].authorization == "Bearer secret"
    assert other.requests == []


@pytest.mark.parametrize(("status", "words"), [(401, "wants a token"), (403, "refuses the token")])
def test_a_missing_or_wrong_token_says_how_to_list_the_cluster(dashboard, status, words):
    dashboard.answer = lambda _: (status, "Unauthorized")
    with pytest.raises(BadInput, match=f"{words}.*raylm cluster add NAME {dashboard.address}"):
        Dashboard(dashboard.address, "secret").get("/api/version")


def test_another_kind_of_server_is_named(dashboard):
    dashboard.answer = lambda _: (200, "<html>")
    with pytest.raises(BadInput, match="is not a Ray dashboard"):
        Dashboard(dashboard.address).get("/api/version")


def test_a_server_that_speaks_no_http_is_unreachable_not_a_traceback():
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BadInput, match="cannot reach"):
            Dashboard(f"http://127.0.0.1:{server.getsockname()[1]}").get("/api/version")
        thread.join()


def test_an_address_may_have_a_path(dashboard):
    Dashboard(f"{dashboard.address}/ray/").get("/api/version")
    assert dashboard.requests[0].path == "/ray/api/version"


def test_an_error_shows_the_last_line_of_a_traceback(dashboard):
    dashboard.answer = lambda _: (500, "Traceback ...\n  File x\nValueError: no such thing\n")
    with pytest.raises(HttpError, match="answered 500: ValueError: no such thing"):
        Dashboard(dashboard.address).get("/api/jobs/")
