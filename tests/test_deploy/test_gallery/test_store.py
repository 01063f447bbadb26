"""Every store has the methods of the protocol, with the same arguments."""

import inspect

import pytest

from mmreid_ext.deploy.gallery.local.local_store import LocalStore
from mmreid_ext.deploy.gallery.store import Store

METHODS = [n for n, f in vars(Store).items() if inspect.isfunction(f) and not n.startswith("_")]


def test_the_methods_are_found():
    assert {"add", "search", "delete", "rows", "close"} <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_file_is_a_store(name):
    wanted = inspect.signature(getattr(Store, name)).parameters
    assert list(inspect.signature(getattr(LocalStore, name)).parameters) == list(wanted)
