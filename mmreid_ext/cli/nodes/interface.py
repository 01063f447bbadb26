"""Find the network interface that leads to the other machines.

gloo takes the address that the host's own name resolves to, which is often 127.0.1.1: machines
then can't reach one another. The interface is read from the route to ``MASTER_ADDR``, without
sending a packet and without another program.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import NamedTuple

from mmreid_ext.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_GET_ADDRESS = 0x8915  # SIOCGIFADDR of Linux
_ANYWHERE = {socket.AF_INET: "203.0.113.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, RFC 3849): their route is the default one."""


class Interface(NamedTuple):
    """An interface of this machine.

    Attributes:
        name: Such as ``'eth0'``.
        address: One of its addresses.
    """

    name: str
    address: str


def find_interface(master: str) -> Interface | None:
    """Return the interface by which this machine and the others reach one another.

    On the machine that owns the address of ``master``, it is the interface with that address, not
    the loopback one. A *name* that means 127.x on its own machine says nothing about the network:
    the interface of the default route is taken, or the only one with an address.

    Args:
        master: Value of ``MASTER_ADDR``: a name or an address.

    Returns:
        The interface; None where it can't be found, so that gloo and NCCL choose.

    Raises:
        UserError: If ``master`` is a name that can't be resolved.
    """
    family, address = resolve(master)
    source = _source_of_route(family, address)
    if source is not None and ip_address(source).is_loopback and not _is_local(master):
        source = _source_of_route(family, _ANYWHERE[family])
        if source is None or ip_address(source).is_loopback:
            others = [one for one in _interfaces() if not ip_address(one.address).is_loopback]
            return others[0] if len({one.name for one in others}) == 1 else None
    return next((one for one in _interfaces() if one.address == source), None)


def choose_interfaces(master: str, environ: MutableMapping[str, str] = os.environ) -> str:
    """Make gloo and NCCL use the interface that leads to the other machines; what is set stays.

    Args:
        master: Value of ``MASTER_ADDR``.
        environ: Environment variables; ``GLOO_SOCKET_IFNAME`` and ``NCCL_SOCKET_IFNAME`` are set.

    Returns:
        The address under which the other machines reach this one; empty if unknown.
    """
    chosen = environ.get("GLOO_SOCKET_IFNAME", "").split(",")[0]
    if chosen:
        found = next((one for one in _interfaces() if one.name == chosen), None)
    else:
        found = find_interface(master)
    if found is None:
        return ""
    environ.setdefault("GLOO_SOCKET_IFNAME", found.name)
    if not ip_address(found.address).is_loopback:
        environ.setdefault("NCCL_SOCKET_IFNAME", f"={found.name}")  # this one, no prefix
    return found.address


def _is_local(master: str) -> bool:
    """Whether the user means this machine and no other, so that loopback is right."""
    try:
        return ip_address(master).is_loopback
    except ValueError:
        return master == "localhost"


def own_addresses() -> set[str]:
    """Return the addresses of this machine."""
    return {one.address for one in _interfaces()}


def resolve(master: str) -> tuple[socket.AddressFamily, str]:
    """Return kind and address of ``MASTER_ADDR``.

    Raises:
        UserError: If nobody knows the name.
    """
    try:
        found = socket.getaddrinfo(master, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise UserError(
            f"MASTER_ADDR={master} is unknown to {socket.gethostname()} ({error}); give the "
            "address of machine 0 in the network of the machines, e.g. MASTER_ADDR=10.0.0.1."
        ) from error
    family, *_, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, str(place[0])


def _source_of_route(family: socket.AddressFamily, address: str) -> str | None:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))  # UDP: asks for the route, sends nothing
        except OSError:
            return None
        return str(probe.getsockname()[0]).partition("%")[0]


def _interfaces() -> list[Interface]:
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    found = [Interface(name, address) for name in names for address in _addresses(name)]
    return sorted(found, key=lambda one: one.name == "lo")  # a machine's address may be on lo, too


def _addresses(name: str) -> list[str]:
    found = []
    if fcntl is not None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                request = struct.pack("256s", name.encode()[:15])
                answer = fcntl.ioctl(asking.fileno(), _GET_ADDRESS, request)
                found.append(socket.inet_ntoa(answer[20:24]))
            except OSError:  # an interface without an address
                pass
    return found + _addresses_of_6(name)


def _addresses_of_6(name: str) -> list[str]:
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as table:
            lines = [line.split() for line in table]
    except OSError:
        return []
    return [str(ip_address(bytes.fromhex(line[0]))) for line in lines if line[-1] == name]
