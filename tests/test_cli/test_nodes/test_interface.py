"""The interface that leads to the other machines is found without a packet."""

import socket

import pytest

from mmreid_ext.cli.nodes import interface
from mmreid_ext.cli.nodes.interface import Interface, choose_interfaces, find_interface
from mmreid_ext.errors import UserError

ETH, IB, LO = (
    Interface("eth0", "10.0.0.1"),
    Interface("ib0", "10.1.0.1"),
    Interface("lo", "127.0.0.1"),
)


@pytest.fixture
def machine(monkeypatch):
    """A machine with given interfaces, routes and names."""

    def build(interfaces, routes, names=()):
        names = dict(names)
        monkeypatch.setattr(interface, "_interfaces", lambda: list(interfaces))
        monkeypatch.setattr(interface, "_source_of_route", lambda _, to: routes.get(to))
        monkeypatch.setattr(
            interface, "resolve", lambda name: (socket.AF_INET, names.get(name, name))
        )

    return build


def test_route_to_machine_0(machine):
    machine([ETH, IB, LO], {"10.1.0.9": "10.1.0.1"})
    assert find_interface("10.1.0.9") == IB


def test_machine_0_takes_the_owner_of_its_address_not_loopback(machine):
    machine([ETH, IB, LO], {"10.1.0.1": "10.1.0.1"})  # routed over lo, but from this address
    assert find_interface("10.1.0.1") == IB


def test_a_name_that_is_loopback_at_home_means_the_network(machine):
    names, default = {"node0": "127.0.1.1"}, interface._ANYWHERE[socket.AF_INET]
    machine([ETH, IB, LO], {"127.0.1.1": "127.0.0.1", default: "10.0.0.1"}, names)
    assert find_interface("node0") == ETH  # the default route's
    machine([IB, LO], {"127.0.1.1": "127.0.0.1"}, names)
    assert find_interface("node0") == IB  # no default route, one interface
    machine([ETH, IB, LO], {"127.0.1.1": "127.0.0.1"}, names)
    assert find_interface("node0") is None  # nobody can tell


def test_loopback_that_was_asked_for(machine):
    machine([ETH, LO], {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1"})
    environ = {}
    assert find_interface("localhost") == LO
    assert choose_interfaces("127.0.0.1", environ) == "127.0.0.1"
    assert environ == {"GLOO_SOCKET_IFNAME": "lo"}  # NCCL takes no loopback


def test_what_the_user_set_stays(machine):
    machine([ETH, IB, LO], {"10.0.0.9": "10.0.0.1"})
    environ = {"GLOO_SOCKET_IFNAME": "ib0"}
    assert choose_interfaces("10.0.0.9", environ) == "10.1.0.1"
    assert environ == {"GLOO_SOCKET_IFNAME": "ib0", "NCCL_SOCKET_IFNAME": "=ib0"}
    environ = {"NCCL_SOCKET_IFNAME": "eth"}
    assert choose_interfaces("10.0.0.9", environ) == "10.0.0.1"
    assert environ == {"GLOO_SOCKET_IFNAME": "eth0", "NCCL_SOCKET_IFNAME": "eth"}


def test_unknown_name():
    with pytest.raises(UserError, match="MASTER_ADDR=no such host is unknown .* e.g. MASTER_ADDR="):
        find_interface("no such host")


def test_this_machine_has_loopback_with_its_address():
    found = interface._interfaces()
    assert Interface("lo", "127.0.0.1") in found or not hasattr(socket, "if_nameindex")
    assert "127.0.0.1" in interface.own_addresses() or not hasattr(socket, "if_nameindex")
    assert find_interface("127.0.0.1") in (None, Interface("lo", "127.0.0.1"))
