"""The stand-in for a Milvus server: one for all tests of a process, in a process of its own."""

import pytest
from helpers.milvus_standin import Standin

CALL_SECONDS = 20


@pytest.fixture(scope="session")
def _standin(tmp_path_factory):
    server = Standin(tmp_path_factory.mktemp("milvus"))
    yield server
    server.close()


@pytest.fixture
def milvus_uri(_standin, monkeypatch):
    """The address of a server that answers; a call that it doesn't answer ends soon."""
    pytest.importorskip("milvus_lite")
    from mmreid_ext.deploy.gallery.milvus import server

    monkeypatch.setattr(server, "CALL_SECONDS", CALL_SECONDS)
    return _standin.ready()
