"""Connections whose headers are too long, or don't come, are closed; others are served."""

import socket
import threading
import time

import pytest
from helpers.fake_deploy import FakeEmbedder

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("httptools")

from mmreid_ext.deploy.app import connections, create_app  # noqa: E402

ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 1.0)
    monkeypatch.setattr(connections, "MAX_HEAD", 20_000)
    app = create_app(FakeEmbedder())
    config = uvicorn.Config(app, http=connections.http_protocol(), log_level="error", port=0)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        thread = threading.Thread(target=server.run, kwargs=dict(sockets=[opened]))
        thread.start()
        yield opened.getsockname()
        server.should_exit = True
        thread.join()


def said(connection):
    """What comes until the other side closes."""
    connection.settimeout(20)
    content = b""
    try:
        while part := connection.recv(65_536):
            content += part
    except ConnectionError:
        pass
    return content


def test_headers_that_never_end(address):
    with socket.create_connection(address) as one:
        one.sendall(ASK)
        with pytest.raises(ConnectionError):
            for _ in range(3000):  # 30 MB
                one.sendall(b"X: " + b"a" * 10_000 + b"\r\n")
                time.sleep(0.001)


@pytest.mark.parametrize("begin", [b"", b"GET /hea", ASK + b"\r\n" + b"GET /"])
def test_headers_that_do_not_come(address, begin):
    with socket.create_connection(address) as one:
        one.sendall(begin)
        started = time.monotonic()
        said(one)
        assert time.monotonic() - started < 15


def test_usual_requests_are_served_on_one_connection(address):
    with socket.create_connection(address) as one:
        for _ in range(4):  # more than PATIENCE in all, and more than MAX_HEAD
            one.sendall(ASK + b"X: " + b"a" * 9000 + b"\r\n\r\n")
            answer = b""
            while b'"status":"ok"' not in answer:
                part = one.recv(65_536)
                assert part
                answer += part
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.4)
