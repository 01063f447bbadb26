"""Round trips through the plain form, and what has none."""

import collections
import enum
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmreid_ext.checkpoint import from_plain, to_plain


class _Level(enum.IntEnum):
    LOW = 1


class _Index(int):
    """An int subclass, as samplers use."""


def _contains_only_plain(value):
    if isinstance(value, dict):
        return type(value) in (dict, collections.OrderedDict) and all(
            _contains_only_plain(part) for item in value.items() for part in item
        )
    if isinstance(value, (list, tuple, set)):
        return type(value) in (list, tuple, set) and all(map(_contains_only_plain, value))
    return value is None or type(value) in (bool, int, float, complex, str, bytes, torch.Tensor)


def test_everything_a_runner_saves_becomes_plain():
    content = {
        "history": HistoryBuffer([1.0], [1]),
        "array": np.zeros((0, 3), np.float32),
        "scalar": np.float64(1.5),
        "config": ConfigDict(a=ConfigDict(b=np.arange(2))),
        "enum": _Level.LOW,
        "index": _Index(5),
        "path": Path("a") / "b.pth",
        "deque": collections.deque([1, 2], 3),
        "default": collections.defaultdict(list, a=[np.int64(1)]),
        "set": {1, _Index(2)},
    }
    plain = to_plain(content)
    assert _contains_only_plain(plain)
    assert plain["enum"] == 1 and plain["index"] == 5 and plain["deque"] == [1, 2]
    assert plain["path"] == str(Path("a") / "b.pth")


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=">i4").reshape(3, 2),
        np.zeros((2, 0), np.float16),
        np.array(["id", "camera"]),
        np.float32(0.1),
        np.array(3),
        ConfigDict(a=[1, dict(b=2)]),
        {"a": (1, [2, {"b": np.ones(2)}])},
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_round_trip_is_exact(value):
    """Equal pickles: MMEngine compares metainfo that way."""
    assert pickle.dumps(from_plain(to_plain(value))) == pickle.dumps(value)


def test_metadata_of_a_state_dict_survives():
    state = torch.nn.BatchNorm1d(2).state_dict()
    plain = to_plain({"state_dict": state})["state_dict"]
    assert type(plain) is collections.OrderedDict
    assert plain._metadata == state._metadata
    assert plain["weight"] is state["weight"]


def test_input_is_left_alone_and_sharing_is_kept():
    shared = [np.ones(2)]
    content = {"a": shared, "b": shared}
    restored = from_plain(to_plain(content))
    assert restored["a"] is restored["b"]
    assert content["a"] is shared and isinstance(shared[0], np.ndarray)


@pytest.mark.parametrize("value", [object(), print, np.array([None])], ids=["object", "fn", "O"])
def test_what_has_no_plain_form_is_named_with_its_place(value):
    with pytest.raises(TypeError, match=r"checkpoint\['meta'\]\['x'\]\[1\] is "):
        to_plain({"meta": {"x": [0, value]}})


def test_unknown_tag_asks_for_an_upgrade():
    with pytest.raises(ValueError, match="'future'.*upgrade mmreid_ext"):
        from_plain({"x": {"__mmreid_ext__": "future"}})


def test_object_dtype_in_a_tag_is_refused():
    forged = {
        "__mmreid_ext__": "ndarray",
        "dtype": "|O",
        "shape": (1,),
        "data": torch.zeros(8, dtype=torch.uint8),
    }
    with pytest.raises(ValueError, match="refused"):
        from_plain(forged)
