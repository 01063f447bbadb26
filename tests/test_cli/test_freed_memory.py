"""Freed memory is kept where the C library can, and nowhere else is anything done."""

import sys

import pytest

from mmreid_ext.cli import freed_memory


@pytest.fixture
def options(monkeypatch):
    """What the C library is told."""
    told = {}

    class Library:
        def mallopt(self, option, value):
            told[option] = value

    monkeypatch.setattr(freed_memory.ctypes, "CDLL", lambda name: Library())
    return told


def test_big_blocks_stay(monkeypatch, options):
    monkeypatch.setattr(sys, "platform", "linux")
    freed_memory.keep_freed_memory()
    # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc's malloc.h
    assert options == {-3: 2**31 - 1, -1: 2**31 - 1}


def test_other_systems_are_left_alone(monkeypatch, options):
    monkeypatch.setattr(sys, "platform", "darwin")
    freed_memory.keep_freed_memory()
    assert options == {}


def test_another_c_library_is_left_alone(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", missing)
    freed_memory.keep_freed_memory()
