"""Split files of strangers: each wrong value is one line that names it."""

import json

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.protocols.split_files import FORMAT, read_splits

OWN = dict(format=FORMAT, splits=[[0, 1], [1]])


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(splits=None), "'splits' is None, must be a list with something in it"),
        (dict(splits=[]), r"'splits' is \[\]"),
        (dict(splits=[[0], []]), r"splits\[1\] is \[\]"),
        (dict(splits=[[0], 5]), r"splits\[1\] is 5"),
        (dict(splits=[[True]]), r"an entry of splits\[0\] is True, must be a whole number"),
        (dict(splits=[[10**400]]), r"an entry of splits\[0\] is an integer of 1329 bits"),
        (dict(by_position=1), "'by_position' is 1, must be true or false"),
        (dict(count="3"), "'count' is '3', must be a whole number"),
        (dict(min_pid=1.5), "'min_pid' is 1.5"),
        (dict(query={"role": "nobody"}), "'query' is .*must be .*camid"),
        (dict(query={"role": ["query"]}), "'query' is"),
        (dict(gallery={"camid": 1, "role": "query"}), "'gallery' is"),
        (dict(gallery={"camid": 2**64}), "'gallery' is"),
        (dict(picks=[[[0, 1], [0, 1]]]), "'picks' has 1 entries for 2 splits"),
        (dict(picks=[[[0, 1]], [[0, 1]]]), r"picks\[0\] has 1 entries for 2 identities"),
        (dict(picks=[[[0, 1], [0]], [[0, 1]]]), r"an entry of picks\[0\] is .*two numbers"),
        (dict(picks=[[[0, 1], [0, "x"]], [[0, 1]]]), r"a number of picks\[0\] is 'x'"),
    ],
)
def test_own_format(tmp_path, changes, message):
    refused(tmp_path, json.dumps(OWN | changes), message)


@pytest.mark.parametrize(
    "content, message",
    [
        ([dict(query=[], gallery=["a"])], r"'query' is \[\], must be a list with something"),
        ([dict(query=["a"], gallery=[["b", 1], []])], r"'gallery': an entry is \[\]"),
        ([dict(query=[[5, "a"]], gallery=["a"])], "'query': an entry is .*the path of an image"),
        ([dict(query="ab", gallery=["a"])], "'query' is 'ab'"),
        ([dict(train=["p_1"], test=[])], "a split has no test identity"),
        ([dict(train=5, test=["p_1"])], "'train' is 5, must be a list"),
        ([dict(train=[], test=[None])], "'test': an entry is None, must be the name"),
        ([dict(train=[], test=["nobody"])], "identity 'nobody' contains no number"),
        ([dict(train=[], test=["9" * 19])], "identity '9+' contains no number of at most 18"),
    ],
)
def test_published_lists(tmp_path, content, message):
    refused(tmp_path, json.dumps(content), message)


@pytest.mark.parametrize("text", ["{", "[" * 5000, "\x00", '{"a": 1'])
def test_what_is_no_json(tmp_path, text):
    refused(tmp_path, text, "is not JSON")


def test_another_encoding(tmp_path):
    (tmp_path / "s.json").write_bytes('["é"]'.encode("latin-1"))
    with pytest.raises(UserError, match=r"s\.json is not JSON"):
        read_splits(tmp_path / "s.json")


def refused(folder, text, message):
    (folder / "s.json").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_splits(folder / "s.json")
    assert "s.json" in str(caught.value) and "\n" not in str(caught.value)
