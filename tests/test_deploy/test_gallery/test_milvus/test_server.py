"""Addresses of servers, servers that don't answer, and tokens that no message shows."""

import http.server
import logging
import socket
import threading
import time

import pytest

from mmreid_ext.deploy.gallery.milvus.server import (
    Address,
    Server,
    _reason,
    import_milvus,
    read_address,
)
from mmreid_ext.errors import MissingPackageError, UserError

SECRET = "root:s3cret-pass"


@pytest.mark.parametrize(
    "text, uri, collection",
    [
        ("http://host:19530", "http://host:19530", "people"),
        ("https://host:443/", "https://host:443", "people"),
        ("http://host:19530/shop?collection=door_1", "http://host:19530/shop", "door_1"),
    ],
)
def test_addresses(text, uri, collection):
    assert read_address(text) == Address(uri, collection)


@pytest.mark.parametrize(
    "text, message",
    [
        ("http://", "must look like"),
        ("http://host:70000", "must look like"),
        ("http://host:1/a/b", "must look like"),
        ("http://host:1?table=a", "must look like"),
        ("http://host:1?collection=a-b", "collection='a-b' must begin"),
        ("http://host:1?collection=", "collection='' must begin"),
        ("http://host:1#a", "must look like"),
    ],
)
def test_wrong_addresses(text, message):
    with pytest.raises(UserError, match=message):
        read_address(text)


def test_a_password_in_the_address_is_not_shown():
    with pytest.raises(UserError, match="MMREID_GALLERY_TOKEN") as caught:
        read_address(f"http://{SECRET}@host:19530")
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def silent():
    """A port that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        yield listening.getsockname()[1]


@pytest.fixture
def other():
    """A server that isn't Milvus."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed():
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("kind", ["silent", "other", "closed"])
def test_nobody_answers(kind, request, caplog, capfd):
    pytest.importorskip("pymilvus")
    port = request.getfixturevalue(kind)
    begun = time.monotonic()
    with caplog.at_level(logging.INFO), pytest.raises(UserError) as caught:
        Server(Address(f"http://127.0.0.1:{port}"), SECRET)
    message = str(caught.value)
    assert time.monotonic() - begun < 60  # it gives up; a busy machine needs more than 5 s
    assert f"http://127.0.0.1:{port}" in message and "\n" not in message
    printed = capfd.readouterr()
    for text in (message, caplog.text, printed.out, printed.err, repr(caught.value.__dict__)):
        assert "s3cret" not in text
    assert "Traceback" not in printed.err


def test_reasons_hide_the_token():
    assert (
        _reason(ValueError(f"bad token {SECRET}, user root"), SECRET) == "bad token ***, user ***"
    )
    assert _reason(ValueError("line\nbreak."), None) == "line break"


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymilvus", None)
    with pytest.raises(MissingPackageError, match=r"mmreid_ext\[milvus\]"):
        import_milvus()
