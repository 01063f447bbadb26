"""Types as configurations name them: bare names, arguments, and what is not registered."""

import pytest
from mmengine.config.lazy import LazyObject
from mmengine.registry import Registry
from torch.utils.data import DataLoader

from mmreid_ext.type_names import LOADER_KEYS, parameters_of, type_name, unknown_type


class Base:
    def __init__(self, width, *, depth=2):
        pass


class Passes(Base):
    def __init__(self, height, *args, **kwargs):
        pass


class Closed(Base):
    def __init__(self, height):
        pass


class Silent(Passes):
    pass


@pytest.mark.parametrize("kind", ["Base", "scope.Base", "a.b.Base", Base])
def test_the_bare_name(kind):
    assert type_name(kind) == "Base"


def test_the_bare_name_of_what_is_not_imported_yet():
    """``from torch import nn`` and then ``nn.Linear``, in a configuration in Python."""
    stand_in = LazyObject("torch", "nn")
    assert type_name(stand_in) == "nn"
    assert type_name(stand_in.Linear) == "Linear"


def function(a, b=1):
    pass


@pytest.mark.parametrize(
    "kind, expected",
    [
        (Base, ["width", "depth"]),
        (Passes, ["height", "width", "depth"]),
        (Silent, ["height", "width", "depth"]),
        (Closed, ["height"]),
        (function, ["a", "b"]),
        (DataLoader, LOADER_KEYS),
    ],
)
def test_arguments_of_a_constructor(kind, expected):
    """Those of its bases too, where it passes others on."""
    assert parameters_of(kind) == expected


@pytest.fixture
def registry():
    """A registry of ours with one of the host beside it."""
    root = Registry("thing", scope="mmengine")
    ours = Registry("thing", parent=root, scope="ours")
    host = Registry("thing", parent=root, scope="mmpretrain")
    for place, names in ((root, ["Chair"]), (ours, ["Table"]), (host, ["Lamp"])):
        for name in names:
            place.register_module(name=name, module=type(name, (), {}))
    return ours


@pytest.mark.parametrize(
    "name, near",
    [("Tabel", "'ours.Table'"), ("ours.Tabel", "'ours.Table'"), ("Lmap", "'Lamp'")],
)
def test_an_unknown_type_is_compared_with_all_that_there_are(registry, name, near):
    """The host's types stand without its scope, which is the default one."""
    message = unknown_type(name, registry, "model.head")
    assert message == (f"model.head: type={name!r} is no registered thing (did you mean {near}?).")


def test_nothing_near_is_suggested_where_nothing_is_near(registry):
    assert unknown_type("Xylophone", registry, "") == ("type='Xylophone' is no registered thing.")
