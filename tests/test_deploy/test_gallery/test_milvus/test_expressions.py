"""Conditions for Milvus: names stay names, whatever they hold."""

import pytest

from mmreid_ext.deploy.gallery.milvus import expressions as x
from mmreid_ext.deploy.gallery.records import Filters


@pytest.mark.parametrize(
    "text, written",
    [
        ("lea", '"lea"'),
        ('a" or id > 0 or identity == "', '"a\\" or id > 0 or identity == \\""'),
        ("back\\slash", '"back\\\\slash"'),
        ('\\"', '"\\\\\\""'),
        ("a\nb\rc\td", '"a\\nb\\rc\\td"'),
        ("it's {x} %s ü", '"it\'s {x} %s ü"'),
    ],
)
def test_literals(text, written):
    assert x.literal(text) == written


def test_lists_of_names():
    assert x.one_of("camera", ["a", "b"]) == 'camera in ["a", "b"]'
    assert x.none_of("camera", ["a"]) == 'camera not in ["", "a"]'
    assert x.one_of("camera", []) == "id < 0" and x.none_of("camera", []) == 'camera not in [""]'


def test_conditions_of_a_search():
    assert x.conditions(Filters()) == x.EVERYTHING
    asked = Filters(cameras=["a"], not_cameras=["b"], since=1, until=2.5, identities=["lea"])
    assert x.conditions(asked, "c") == (
        '(camera in ["a"]) and (identity in ["lea"]) and (camera not in ["", "b"]) and '
        '(camera not in ["", "c"]) and (time > -1e+300) and (time >= 1.0) and (time < 2.5)'
    )
    assert x.conditions(Filters(until=2)) == "(time > -1e+300) and (time < 2.0)"


def test_joined():
    assert x.both([]) == x.EVERYTHING
    assert x.both(["a", "b or c"]) == "(a) and (b or c)"
    assert x.ids([3, 4]) == "id in [3, 4]"
