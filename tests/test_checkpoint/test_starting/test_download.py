"""A download ends with the file, or with what to do without."""

import socket
import threading
import time

import pytest

from mmreid_ext.checkpoint.starting import download as module
from mmreid_ext.checkpoint.starting.download import download
from mmreid_ext.errors import UserError


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    """Serve one answer at each connection, after a list of answers was filled."""
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                request = connection.recv(4096)
                if request:
                    time.sleep(answers[0][0])
                    connection.sendall(answers[0][1])
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.pth", answers


def test_a_file_arrives(server, tmp_path):
    url, answers = server
    answers.append((0, b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"))
    download(url, tmp_path / "a.pth", progress=False)
    assert (tmp_path / "a.pth").read_bytes() == b"abc"


def test_a_server_without_the_file_and_one_that_says_nothing(server, tmp_path, monkeypatch):
    url, answers = server
    answers.append((0, b"HTTP/1.0 404 Not Found\r\n\r\n"))
    with pytest.raises(UserError, match=f"Can't download {url} .*Not Found"):
        download(url, tmp_path / "a.pth", progress=False)
    monkeypatch.setattr(module, "SILENCE", 0.2)
    answers[0] = (5, b"")
    start = time.monotonic()
    with pytest.raises(UserError, match="timed out"):
        download(url, tmp_path / "a.pth", progress=False)
    assert time.monotonic() - start < 4 and socket.getdefaulttimeout() is None
    assert list(tmp_path.iterdir()) == []
