"""Servers that stop answering: a line that names them, soon; and the stand-in's own end."""

import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("milvus_lite")

from helpers.milvus_standin import Standin, Stopped

from mmreid_ext.deploy.gallery.milvus import opening, server
from mmreid_ext.deploy.gallery.milvus.opening import open_store
from mmreid_ext.deploy.gallery.milvus.server import Address, Server
from mmreid_ext.deploy.gallery.records import GalleryModel
from mmreid_ext.errors import UserError

MODEL = GalleryModel("abc", "best.pth", 4)


@pytest.fixture
def standin(tmp_path):
    made = Standin(tmp_path)
    yield made
    made.close()


@pytest.fixture
def connection(milvus_uri):
    made = Server(Address(milvus_uri, "some"))
    yield made
    made.close()


def test_a_server_that_stops(standin, monkeypatch, capfd):
    store = open_store(Address(standin.ready(), "people"), MODEL)
    monkeypatch.setattr(server, "CALL_SECONDS", 1)
    standin.pause()
    asked = {
        "find": lambda: store.find([b"a"]),
        "count": store.people,
        "delete": lambda: store.delete([1], None),
        "load": lambda: opening._load(store.server),
    }
    for name, ask in asked.items():
        with pytest.raises(UserError) as caught:
            ask()
        message = str(caught.value)
        assert standin.uri in message and "collection 'people'" in message, name
        assert message.endswith(server._RESTART) and "\n" not in message, message
    begun = time.monotonic()
    store.close()
    assert time.monotonic() - begun < 60
    standin._answer = 0.5
    uri, again = standin.uri, standin.ready()  # the next one who asks gets another
    assert again != uri and Server(Address(again)).lite
    assert "Traceback" not in capfd.readouterr().err


def test_a_client_that_never_returns(connection, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(server, "CALL_SECONDS", 0.02)
    monkeypatch.setattr(server, "CONNECT_SECONDS", 0.02)
    for name in ("flush", "close"):
        monkeypatch.setattr(connection.client, name, lambda *args, **options: ended.wait(60))
    with pytest.raises(UserError, match=r"failed to flush in .* no answer within 0\.05 s\. Is it"):
        connection.call("flush")
    connection.close()
    ended.set()
    monkeypatch.undo()


def test_what_grpc_raises_by_itself_is_one_line(connection, monkeypatch):
    import grpc

    class Late(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.DEADLINE_EXCEEDED

        def details(self):
            return "Deadline\nexceeded"

    def late(*args, **options):
        raise Late

    monkeypatch.setattr(connection.client, "search", late)
    with pytest.raises(UserError, match=r"failed to search in .*: Deadline exceeded\. Is it run"):
        connection.call("search")


def test_a_collection_that_is_never_loaded(connection, monkeypatch):
    monkeypatch.setattr(opening, "_LOAD_SECONDS", 0.01)
    monkeypatch.setattr(opening, "_LOAD_PAUSE", 0.02)
    monkeypatch.setattr(connection.client, "load_collection", lambda *args, **options: None)
    monkeypatch.setattr(
        connection.client, "get_load_state", lambda *args, **options: {"state": "Loading"}
    )
    with pytest.raises(UserError, match=r"hasn't loaded the collection 'some' within 0\.01 s"):
        opening._load(connection)


def test_a_closed_gallery_leaves_no_connection(milvus_uri):
    from pymilvus.client.connection_manager import ConnectionManager

    stats = ConnectionManager.get_instance().get_stats
    before = stats()["total_connections"]
    store = open_store(Address(milvus_uri, "closed"), MODEL)
    assert stats()["total_connections"] == before + 1
    store.close()
    assert stats()["total_connections"] == before


@pytest.mark.parametrize(
    "program, seconds", [("import time; time.sleep(600)", 0.2), ("raise SystemExit('no')", 60)]
)
def test_a_stand_in_that_does_not_start(tmp_path, program, seconds):
    standin = Standin(tmp_path, (sys.executable, "-c", program), seconds)
    with pytest.raises(Stopped, match="gave no port within"):
        standin.ready()
    assert standin._process is None


def test_a_stand_in_ends_with_who_started_it(tmp_path):
    """However that one ends."""
    program = (
        "import sys, pathlib, time\n"
        "from helpers.milvus_standin import Standin\n"
        "one = Standin(pathlib.Path(sys.argv[1]))\n"
        "one.ready()\n"
        "print(one._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    timer = threading.Timer(120, starter.kill)
    timer.start()
    try:
        pid = int(starter.stdout.readline())
    finally:
        timer.cancel()
        starter.send_signal(signal.SIGKILL)
        starter.wait(30)
        starter.stdout.close()
    until = time.monotonic() + 60
    while _is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_running(pid)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
