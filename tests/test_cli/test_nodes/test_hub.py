"""The place to which ranks connect."""

from mmreid_ext.cli.nodes.hub import Hub, Loss


def test_a_hub_listens_where_it_says(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "node0")
    hub, other = Hub.open("127.0.0.1", 2), Hub.open("", 2)
    try:
        host, port, password = hub.place
        assert (host, port) == hub.listening.getsockname()
        assert len(password) == 32 and password != other.place[2]
        assert other.place[0] == "node0"  # everywhere: reached by the name of rank 0's machine
    finally:
        hub.listening.close()
        other.listening.close()


def test_a_loss_is_a_sentence():
    assert str(Loss(3, "b", "has died")) == "rank 3 on b has died"
