"""Two machines on one host: network namespaces with addresses of their own, a veth as the cable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .paths import ROOT

ADDRESSES = ("10.99.8.1", "10.99.8.2")


def run_ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class TwoMachines:
    """Both machines, and the cable between them."""

    def __init__(self) -> None:
        number = os.getpid() % 100_000
        self.spaces = [f"mmt{number}{m}" for m in "ab"]
        self.ends = [f"mmt{number}{m}" for m in "ab"]

    def build(self) -> None:
        for space in self.spaces:
            run_ip("netns", "add", space)
        run_ip("link", "add", self.ends[0], "type", "veth", "peer", "name", self.ends[1])
        for space, end, address in zip(self.spaces, self.ends, ADDRESSES, strict=True):
            run_ip("link", "set", end, "netns", space)
            run_ip("-n", space, "addr", "add", f"{address}/24", "dev", end)
            run_ip("-n", space, "link", "set", "lo", "up")
            run_ip("-n", space, "link", "set", end, "up")

    def remove(self) -> None:
        for space in self.spaces:  # their ends of the cable go with them
            subprocess.run(["ip", "netns", "del", space], capture_output=True, timeout=20)

    def unplug(self) -> None:
        run_ip("-n", self.spaces[1], "link", "set", self.ends[1], "down")

    def plug_in(self) -> None:
        run_ip("-n", self.spaces[1], "link", "set", self.ends[1], "up")

    def start(self, machine: int, *arguments: str, **variables: str) -> subprocess.Popen:
        """Start Python on one machine; it must be ended by the caller."""
        environ = {k: v for k, v in os.environ.items() if not k.endswith("_SOCKET_IFNAME")}
        return subprocess.Popen(
            ["ip", "netns", "exec", self.spaces[machine], sys.executable, *arguments],
            env=environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )


@contextmanager
def two_machines() -> Iterator[TwoMachines]:
    """Build them, or skip the test and say why."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("two machines on one host need Linux, root and iproute2")
    machines = TwoMachines()
    try:
        try:
            machines.build()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces can't be made: {error.stderr.decode().strip()}")
        yield machines
    finally:
        machines.remove()
