import pytest

from mmreid_ext.errors import MissingPackageError
from mmreid_ext.export.optional import is_there, optional


def test_a_missing_package_names_the_extra():
    with pytest.raises(MissingPackageError, match=r"none_such: .*mmreid_ext\[deploy\]"):
        optional("none_such.part")
    assert not is_there("none_such")


def test_one_that_is_there():
    import json

    assert optional("json") is json and is_there("json")
