"""Lines of JSON between two ranks."""

import socket

from mmreid_ext.cli.nodes.wire import Wire


def pair():
    one, other = socket.socketpair()
    return Wire(one), Wire(other)


def test_messages_arrive_whole_and_in_order():
    one, other = pair()
    one.send(a=1)
    one.send(b=[2])
    one.socket.send(b'{"c": ')
    assert other.receive() == [dict(a=1), dict(b=[2])]
    one.socket.send(b"3}\n")
    assert other.receive() == [dict(c=3)]
    assert other.receive() == [] and other.is_open
    one.close()
    assert other.receive() == [] and not other.is_open
    other.send(a=1)  # nobody is there: no error
    other.close()


def test_strangers_are_cut_off():
    for content in (b"GET / HTTP/1.1\r\n\r\n", b"[1]\n", b"\xff\n", b"[" * 60_000 + b"\n"):
        one, other = pair()
        one.socket.send(content)
        assert other.receive() == [] and not other.is_open
        one.close()


def test_a_reader_that_sleeps_stops_nobody():
    one, other = pair()
    for _ in range(20_000):
        one.send(beat=True)
    assert one.is_open
    one.close()
    other.close()
