import json

import pytest

from mmreid_ext.evaluation.pid_names import (
    pid_names_by_set,
    pid_names_from_text,
    pid_names_to_text,
)

NAMES = {"shop": {0: "zoé", 7: "bob"}}


@pytest.mark.parametrize(
    "meta",
    [
        dict(test_sets=dict(shop=dict(pid_names=NAMES["shop"]), other={})),
        dict(test_sets=dict(shop={}), pid_names=NAMES["shop"]),
        dict(test_sets=dict(shop={}), pid_names=NAMES),
        dict(test_sets=dict(shop=dict(pid_names={"0": "zoé", "7": "bob"}))),
    ],
)
def test_names_of_a_set_or_of_all(meta):
    assert pid_names_by_set(meta) == NAMES


@pytest.mark.parametrize("meta", [None, {}, dict(test_sets=dict(shop={}))])
def test_most_sets_have_none(meta):
    assert pid_names_by_set(meta) == {}


def test_names_survive_a_note():
    text = pid_names_to_text(NAMES)
    assert "zoé" in text
    assert pid_names_from_text(text) == NAMES
    assert pid_names_to_text({}) == "" and pid_names_from_text("") == {}


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 3}', '{"a": {"x": "y"}}', "[" * 100_000])
def test_a_note_of_strangers_is_empty(text):
    assert pid_names_from_text(text) == {}


def test_names_of_strangers_can_be_printed():
    found = pid_names_from_text(json.dumps({"shop": {"1": "\x1b[2J" + "x" * 500}}))
    assert found["shop"][1].isprintable() and len(found["shop"][1]) <= 80
