"""Two machines on one host: network namespaces with addresses of their own, a veth as the cable.

Their names hold the number of the process that made them: what one left that was killed goes when
the next machines are built.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from mmreid_ext.output_files.atomic import process_lives

from .paths import ROOT

ADDRESSES = ("10.99.8.1", "10.99.8.2")


def run_ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def remove_spaces_of_the_dead() -> None:
    """Remove the namespaces whose makers have ended, and end what still runs in them."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, timeout=20)
    for line in listed.stdout.splitlines():
        name = line.split()[0] if line.strip() else ""
        maker = re.fullmatch(r"mmt(\d+)[ab]", name)
        if maker and (int(maker[1]) == os.getpid() or not process_lives(int(maker[1]))):
            remove_space(name)


def remove_space(name: str) -> None:
    """Remove a namespace with its end of the cable, and end what runs in it."""
    command = ["ip", "netns", "pids", name]
    inside = subprocess.run(command, capture_output=True, text=True, timeout=20)
    for process in inside.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=20)


class TwoMachines:
    """Both machines, and the cable between them."""

    def __init__(self) -> None:
        self.spaces = [f"mmt{os.getpid()}{m}" for m in "ab"]
        self.ends = list(self.spaces)

    def build(self) -> None:
        remove_spaces_of_the_dead()
        for space in self.spaces:
            run_ip("netns", "add", space)
        run_ip("link", "add", self.ends[0], "type", "veth", "peer", "name", self.ends[1])
        for space, end, address in zip(self.spaces, self.ends, ADDRESSES, strict=True):
            run_ip("link", "set", end, "netns", space)
            run_ip("-n", space, "addr", "add", f"{address}/24", "dev", end)
            run_ip("-n", space, "link", "set", "lo", "up")
            run_ip("-n", space, "link", "set", end, "up")

    def remove(self) -> None:
        for space in self.spaces:
            remove_space(space)

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
