import socket
import stat

import pytest

from raylm.config.errors import BadInput
from raylm.config.places import read_settings, settings_path, write_settings
from raylm.jobs.clusters import Cluster, add_cluster, find_cluster, list_clusters, remove_cluster
from raylm.jobs.target import find_target


@pytest.fixture
def token_path(tmp_path):
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("secret\n")
    return str(path)


def test_the_list_keeps_what_was_added_and_the_other_settings(token_path):
    write_settings({"storages": ["/runs"]})
    cluster = Cluster("lab", "https://ray.example.org", token_path, "s3://bucket/runs")
    add_cluster(cluster)
    add_cluster(Cluster("desk", "http://127.0.0.1:8265"))
    assert list_clusters() == [cluster, Cluster("desk", "http://127.0.0.1:8265")]
    remove_cluster("lab")
    assert [each.name for each in list_clusters()] == ["desk"]
    assert read_settings()["storages"] == ["/runs"]


def test_the_settings_are_private():
    add_cluster(Cluster("desk", "http://127.0.0.1:8265"))
    assert stat.S_IMODE(settings_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(settings_path().parent.stat().st_mode) == 0o700


def test_adding_a_name_again_replaces_its_entry():
    add_cluster(Cluster("desk", "http://127.0.0.1:8265"))
    add_cluster(Cluster("desk", "http://127.0.0.1:8266"))
    assert [each.address for each in list_clusters()] == ["http://127.0.0.1:8266"]


def test_a_stranger_is_refused_before_any_packet_is_sent(monkeypatch):
    looked_up = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **_: looked_up.append(arguments))
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: looked_up.append(address))
    for address in (
        "http://169.254.169.254",
        "http://stranger.example.org:8265",
        "http://localhost.example.org",
    ):
        with pytest.raises(
            BadInput, match="not in your cluster list; add it if you trust it: raylm cluster add"
        ):
            find_target(address)
    assert looked_up == []


def test_a_stranger_that_listens_sees_no_connection():
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(0.2)
        with pytest.raises(BadInput, match="not in your cluster list"):
            find_target(f"http://0.0.0.0:{server.getsockname()[1]}")
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_token_goes_to_its_own_cluster_only(make_dashboard, token_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "environment-secret")
    listed, unlisted = make_dashboard(), make_dashboard()
    add_cluster(Cluster("lab", listed.address, token_path))
    for address in (listed.address, unlisted.address, "lab"):
        find_target(address).dashboard().get("/api/version")
    assert [request.authorization for request in listed.requests] == ["Bearer secret"] * 2
    assert [request.authorization for request in unlisted.requests] == [None]


def test_a_token_that_others_can_read_is_refused(token_path):
    from pathlib import Path

    Path(token_path).chmod(0o644)
    with pytest.raises(BadInput, match=r"others can read .*0644.* chmod 600"):
        add_cluster(Cluster("lab", "https://ray.example.org", token_path))


def test_a_token_crosses_no_network_in_clear_unless_accepted(token_path):
    cluster = Cluster("lab", "http://ray.example.org:8265", token_path)
    with pytest.raises(BadInput, match=r"in clear .*--allow-insecure-http"):
        add_cluster(cluster)
    add_cluster(Cluster(cluster.name, cluster.address, token_path, allow_insecure_http=True))
    assert find_cluster("lab").allow_insecure_http


@pytest.mark.parametrize(
    "address",
    [
        "ray://host:10001",
        "host:6379",
        "http://",
        "http://user:secret@host",
        "http://host:port",
        "http://host?x=1",
        "file:///etc",
        "http://h\nost",
        "http://[::1",
    ],
)
def test_what_is_no_url_of_a_dashboard_is_refused_with_an_example(address):
    with pytest.raises(
        BadInput, match=r"not the URL of a Ray dashboard; write it as http://127\.0\.0\.1:8265"
    ):
        find_cluster(address)


def test_a_mistyped_name_is_answered_with_the_near_one():
    add_cluster(Cluster("laboratory", "http://127.0.0.1:8265"))
    with pytest.raises(BadInput, match="did you mean laboratory"):
        find_cluster("labratory")
    with pytest.raises(BadInput, match="did you mean laboratory"):
        remove_cluster("labratory")


@pytest.mark.parametrize("name", ["../x", "owned", "", "a b", "con\n"])
def test_a_name_that_cannot_be_used_is_refused(name):
    with pytest.raises(BadInput, match="name"):
        add_cluster(Cluster(name, "http://127.0.0.1:8265"))


@pytest.mark.parametrize(
    "entries", ["text", [{"name": "x"}], [{"name": "x", "address": "y", "zone": 1}], [3]]
)
def test_a_broken_list_names_the_file(entries):
    write_settings({"clusters": entries})
    with pytest.raises(BadInput, match=r"config\.yaml"):
        list_clusters()


def test_ray_address_counts_only_where_it_is_a_dashboard(monkeypatch, dashboard):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(BadInput, match="start one: raylm cluster start"):
        find_target(may_start=False)
    monkeypatch.setenv("RAY_ADDRESS", dashboard.address)
    assert find_target(may_start=False).address == dashboard.address
