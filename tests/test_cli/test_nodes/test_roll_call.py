"""Machines that are missing, or counted wrongly, are named before any rank starts."""

import socket
import threading
from argparse import Namespace

import pytest

from mmreid_ext.cli.nodes import roll_call
from mmreid_ext.cli.nodes.roll_call import Roll, machines
from mmreid_ext.errors import UserError


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def call_all(port, numbers, wait=20.0):
    """Call the roll on machines, each a thread; return what each gets, and what was said."""
    results, said = {}, []

    def one(place, machine, of):
        try:
            results[place] = Roll("127.0.0.1", port, machine, of, wait, said.append).call()
        except (UserError, RuntimeError) as error:  # those of machine 0 may be gone first
            results[place] = str(error)

    threads = [threading.Thread(target=one, args=(n, *m)) for n, m in enumerate(numbers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results, said


def test_all_machines_come(port):
    found, said = call_all(port, [(1, 3), (0, 3), (2, 3)])
    assert not any(isinstance(one, str) for one in found.values()) and said == []
    again = Roll("127.0.0.1", port, 1, 3, 5.0).call()  # started again, by hand
    assert again.add("mmreid_ext/roll/complete", 0) == 3


def test_a_forgotten_machine_is_named(port, monkeypatch):
    monkeypatch.setattr(roll_call, "FIRST_NOTICE", 0.1)
    found, said = call_all(port, [(0, 3), (1, 3)], wait=1.0)
    for text in found.values():
        assert text.startswith(f"machine 2 of 3 has not come to 127.0.0.1:{port}; start the same")
        assert "NODE_RANK=2 (waited 1 s; MMREID_JOIN_SECONDS changes it)." in text
    assert any(line.startswith("machine 0: waiting, machine 2 of 3 has not come") for line in said)


def test_machine_0_does_not_answer(port, monkeypatch):
    monkeypatch.setattr(roll_call, "_BETWEEN", 0.1)
    with pytest.raises(UserError, match=r"machine 0 doesn't answer at .*refused.*NODE_RANK=0"):
        Roll("127.0.0.1", port, 1, 2, 0.3).call()


def test_one_number_for_two_machines(port):
    found, _ = call_all(port, [(0, 3), (1, 3), (1, 3)], wait=2.0)
    texts = [text for text in found.values() if text.startswith("NODE_RANK=1: ")]
    assert len(texts) == 1
    assert "has this number already; give each machine another one, 0 to 2." in texts[0]


def test_machines_that_count_otherwise(port):
    found, _ = call_all(port, [(0, 2), (1, 3)], wait=2.0)
    assert found[0].startswith("NNODES=3 on machine 1")
    with pytest.raises(UserError, match="NODE_RANK=2: expected 0 to 1 for NNODES=2"):
        Roll("127.0.0.1", port, 2, 2, 1.0).call()


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"MASTER_PORT={port}: .*choose another port"):
            Roll("127.0.0.1", port, 0, 2, 1.0).call()


def test_where_there_is_no_roll_to_call(monkeypatch):
    monkeypatch.setattr(Roll, "call", lambda self: pytest.fail("called"))
    for nnodes, backend in (("1", "static"), ("1:4", "c10d"), ("2", "c10d")):
        with machines(Namespace(nnodes=nnodes, rdzv_backend=backend)):
            pass


def test_the_launcher_of_machine_0_is_gone(monkeypatch):
    monkeypatch.setattr(Roll, "call", lambda self: None)
    given = Namespace(
        nnodes="2", rdzv_backend="static", master_addr="a", master_port=1, node_rank=1
    )
    with pytest.raises(UserError, match="machine 0's launcher at a:1 is gone"), machines(given, {}):
        raise RuntimeError("Failed to recv, got 0 bytes. Connection was likely closed.")
    with pytest.raises(RuntimeError, match="a bug"), machines(given, {}):
        raise RuntimeError("a bug")
