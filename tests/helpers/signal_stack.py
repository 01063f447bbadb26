"""Where signal handlers of the calling thread run."""

import ctypes
import sys

import pytest


class _Stack(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def signal_stack():
    """Return the address of the stack that ``sigaltstack`` names, None without one."""
    if not sys.platform.startswith("linux"):
        pytest.skip("sigaltstack is asked in Linux' way")
    found = _Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.pointer
