"""Libraries find our choices in the environment, and a user's own before them."""

import pytest
from helpers.tools import run_python

from mmreid_ext.library_defaults import machine_is_busy, set_library_defaults

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}
QUIET = {"OPENCV_LOG_LEVEL": "OFF"}


@pytest.fixture(autouse=True)
def _load(monkeypatch):
    give_load(monkeypatch, 3.0)


def give_load(monkeypatch, load, cores=4):
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: cores)


@pytest.mark.parametrize("load, policy", [(0.0, {}), (1.9, {}), (2.0, PASSIVE), (9.0, PASSIVE)])
def test_threads_sleep_where_others_need_the_cores(load, policy, monkeypatch):
    give_load(monkeypatch, load)
    environ = {"HOME": "/home/lea"}
    set_library_defaults(environ)
    assert environ == {"HOME": "/home/lea"} | QUIET | policy


def test_a_machine_that_does_not_say_counts_as_idle(monkeypatch):
    def unknown():
        raise OSError

    monkeypatch.setattr("os.getloadavg", unknown)
    assert not machine_is_busy()


@pytest.mark.parametrize(
    "name, value",
    [
        ("OMP_WAIT_POLICY", "ACTIVE"),
        ("OMP_WAIT_POLICY", ""),
        ("GOMP_SPINCOUNT", "1000"),
        ("KMP_BLOCKTIME", "infinite"),
        ("KMP_LIBRARY", "turnaround"),
    ],
)
def test_a_choice_of_the_user_stays(name, value):
    environ = {name: value}
    set_library_defaults(environ)
    assert environ == QUIET | {name: value}


LOAD = """
import os
import sys
os.getloadavg = lambda: (1000, 0, 0)
from mmreid_ext.library_defaults import set_library_defaults
if "ours" in sys.argv:
    set_library_defaults()
import torch
"""


@pytest.mark.slow
def test_the_library_of_pytorch_follows(monkeypatch):
    """It says so itself, which needs neither a clock nor an idle machine."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    plain, ours = (
        run_python(LOAD, which, env={"OMP_DISPLAY_ENV": "VERBOSE"}).stderr
        for which in ("plain", "ours")
    )
    if "GOMP_SPINCOUNT" not in plain:
        pytest.skip("this PyTorch has another OpenMP library than GNU's")
    asleep = "GOMP_SPINCOUNT = '0'"
    assert asleep not in plain and asleep in ours
