import socket

import pytest

from mmreid_ext.deploy.app.serving import (
    ON_A_GPU,
    address_of,
    open_socket,
    read_settings,
    require_key,
)
from mmreid_ext.errors import UserError


def test_limits_change_settings():
    settings = read_settings(["max_pixels=500", "timeout=2.5"])
    assert (settings.max_pixels, settings.timeout, settings.batch) == (500, 2.5, 8)
    assert read_settings([], ON_A_GPU).batch == 32
    assert read_settings(["batch=4"], ON_A_GPU).batch == 4


@pytest.mark.parametrize(
    "text, words",
    [
        ("max_pixel=5", "did you mean 'max_pixels'"),
        ("max_pixels=many", "no number"),
        ("max_pixels", "no number"),
        ("max_pixels=-1", "at least 1"),
        ("timeout=nan", "seconds"),
    ],
)
def test_limits_that_are_none(text, words):
    with pytest.raises(UserError, match=words):
        read_settings([text])


def test_nobody_else_may_ask_without_a_key():
    for host in ("0.0.0.0", "::", "10.0.0.1"):
        with pytest.raises(UserError, match="MMREID_API_KEY"):
            require_key(host, None)
        require_key(host, "key")
    require_key("127.0.0.1", None)
    require_key("localhost", None)


def test_a_port_that_is_taken_is_one_line():
    first = open_socket("127.0.0.1", 0)
    try:
        port = first.getsockname()[1]
        assert address_of(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(UserError, match=f"Port {port} of 127.0.0.1 is taken"):
            open_socket("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass  # it listens already
    finally:
        first.close()


def test_hosts_that_are_none():
    with pytest.raises(UserError, match="--host no.such.host.invalid"):
        open_socket("no.such.host.invalid", 0)
    with pytest.raises(UserError, match="can't be had"):
        open_socket("192.0.2.1", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_addresses_of_ipv6_have_brackets():
    try:
        opened = open_socket("::1", 0)
    except UserError:
        pytest.skip("no IPv6 on this machine")
    with opened:
        assert address_of(opened).startswith("http://[::1]:")


def test_a_service_on_every_address_names_its_machine():
    with socket.socket() as opened:
        opened.bind(("0.0.0.0", 0))
        port = opened.getsockname()[1]
        assert address_of(opened) == f"http://{socket.gethostname()}:{port}"
