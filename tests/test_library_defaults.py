"""Libraries find our choices in the environment, and a user's own before them."""

import pytest
from helpers.tools import run_python

from mmreid_ext.library_defaults import set_library_defaults

OURS = {"OPENCV_LOG_LEVEL": "OFF", "OMP_WAIT_POLICY": "PASSIVE"}


def test_what_is_set_where_nothing_was():
    environ = {"HOME": "/home/lea"}
    set_library_defaults(environ)
    assert environ == {"HOME": "/home/lea"} | OURS


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
    assert environ == {"OPENCV_LOG_LEVEL": "OFF", name: value}


LOAD = """
import sys
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
