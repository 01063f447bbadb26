"""Whether a server answers."""

import socket
import time

import pytest

from mmreid_ext.checkpoint.reachable import why_unreachable


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_somebody_answers(server):
    assert why_unreachable(f"http://127.0.0.1:{server}/a.pth") is None


def test_nobody_answers(server):
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert "refused" in why_unreachable(f"http://127.0.0.1:{port}/a.pth")


def test_a_name_that_takes_for_ever(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: time.sleep(30))
    start = time.monotonic()
    assert "no answer from example.org" in why_unreachable("https://example.org/a", patience=0.1)
    assert time.monotonic() - start < 5


def test_the_proxy_is_asked_in_its_place(monkeypatch, server):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server}")
    monkeypatch.setenv("no_proxy", "")
    assert why_unreachable("http://no-such-host.invalid/a.pth") is None


@pytest.mark.parametrize("url", ["file:///a.pth", "s3://bucket/a.pth", "a.pth"])
def test_other_schemes_are_not_asked(url):
    assert why_unreachable(url) is None
