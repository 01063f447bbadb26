import json
from pathlib import Path

import numpy as np
import pytest

from mmreid_ext.json_values import full_name, plain_json, read_json


def test_everything_becomes_json():
    value = {
        1: (np.int64(2), np.float32(0.5), np.arange(2), np.bool_(True)),
        "text": Path("a/b"),
        "no number": [float("nan"), np.array([1.0, np.inf])],
        "class": dict,
        "nothing": None,
    }
    plain = plain_json(value)
    assert plain == {
        "1": [2, 0.5, [0, 1], True],
        "text": "a/b",
        "no number": [None, [1.0, None]],
        "class": "dict",
        "nothing": None,
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["1"][3] is True  # not 1


def test_infinity_can_be_kept():
    assert plain_json({"max_norm": [np.float64(np.inf)]}, finite=False) == {"max_norm": [np.inf]}


def test_classes_are_named_as_asked():
    assert plain_json([{"type": Path}], full_name) == [{"type": full_name(Path)}]
    assert full_name(dict) == "builtins.dict"


def test_json_of_strangers():
    assert read_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    assert read_json("[" * 100 + "]" * 100) is not None
    for text in ("[" * 101 + "]" * 101, "[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000):
        with pytest.raises(ValueError, match="nested deeper than 100 levels"):
            read_json(text)
    for text in ("9" * 4400, "", "[1,", b"\xff"):
        with pytest.raises(ValueError, match="digits|Expecting|invalid start"):
            read_json(text)
