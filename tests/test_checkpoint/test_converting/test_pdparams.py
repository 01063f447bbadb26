"""Files as Paddle writes them, made by NumPy and pickle alone; hostile ones are refused."""

import os
import pickle

import numpy as np
import pytest
import torch

from mmreid_ext.checkpoint.converting.pdparams import is_pdparams, read_pdparams
from mmreid_ext.checkpoint.safe_load import UnsafeCheckpointError
from mmreid_ext.errors import UserError

A = np.arange(6, dtype=np.float32).reshape(2, 3)
TABLE = {"StructuredToParameterName@@": {"a.w": "linear_0.w_0"}}


def written(tmp_path, content, protocol=4):
    path = tmp_path / "x.pdparams"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: ("linear_0.w_0", a)], ids=["", "tuple"])
def test_arrays_of_every_protocol(tmp_path, protocol, wrap):
    path = written(
        tmp_path, {"a.w": wrap(A), "a.b": wrap(A[0].astype(np.int64)), **TABLE}, protocol
    )
    found = read_pdparams(path)
    assert is_pdparams(path) and list(found) == ["a.w", "a.b"]
    assert found["a.w"].equal(torch.from_numpy(A)) and found["a.b"].dtype == torch.int64


def test_names_of_numpy_1(tmp_path):
    content = pickle.dumps({"a": A}, 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert read_pdparams(written(tmp_path, content))["a"].equal(torch.from_numpy(A))


def test_bfloat16_arrives_as_whole_numbers(tmp_path):
    values = torch.tensor([1.5, -2.0, 0.375])
    raw = values.bfloat16().view(torch.int16).numpy().view(np.uint16)
    found = read_pdparams(written(tmp_path, {"a": raw}))["a"]
    assert found.dtype == torch.bfloat16 and found.float().equal(values)


def test_parts_of_large_arrays_are_joined(tmp_path):
    parts = {"UnpackBigParamInfor@@": {"a": {"OriginShape": (2, 3), "slices": ["a@@.0", "a@@.1"]}}}
    flat = A.reshape(-1)
    content = {"a@@.0": flat[:4], "a@@.1": flat[4:], **parts}
    found = read_pdparams(written(tmp_path, content, 2))
    assert list(found) == ["a"] and found["a"].equal(torch.from_numpy(A))
    del content["a@@.1"]
    with pytest.raises(UserError, match="a was cut into parts that don't fit together"):
        read_pdparams(written(tmp_path, content, 2))


class Hostile:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "function, arguments",
    [
        (os.system, ("touch executed",)),
        (eval, ("1",)),
        (getattr, ("text", "upper")),
        (tuple, (map,)),
        (np.load, ("x",)),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_is_executed(tmp_path, monkeypatch, function, arguments, protocol):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, {"a": A, "b": Hostile(function, *arguments)}, protocol)
    with pytest.raises(UnsafeCheckpointError, match="was refused: .*paddle.save"):
        read_pdparams(path)
    assert not (tmp_path / "executed").exists()


def test_arrays_of_objects_are_refused(tmp_path):
    with pytest.raises(UnsafeCheckpointError, match="was refused"):
        read_pdparams(written(tmp_path, {"a": np.array([print], dtype=object)}))


def test_a_small_file_that_declares_much_is_refused(tmp_path):
    big = pickle.BYTEARRAY8 + (2**33).to_bytes(8, "little") + b"x."
    with pytest.raises(UserError, match="bytearray"):
        read_pdparams(written(tmp_path, pickle.PROTO + b"\x05" + big))
    # One run of bytes as the content of many arrays.
    raw = bytes(2**20)
    arrays = {f"a{i}": np.zeros(0, np.uint8) for i in range(90)}
    states = [(1, (2**20,), np.dtype("u1"), False, raw) for _ in arrays]

    class Many:
        def __init__(self, state):
            self.state = state

        def __reduce__(self):
            make = np.core.multiarray if hasattr(np, "core") else np._core.multiarray
            return make._reconstruct, (np.ndarray, (0,), b"b"), self.state

    content = dict(zip(arrays, map(Many, states), strict=True))
    path = written(tmp_path, content)
    assert path.stat().st_size < 2**20 + 2**14
    with pytest.raises(UserError, match="many times its own bytes"):
        read_pdparams(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04", b"garbage", pickle.dumps([1]), pickle.dumps({"a": 3})]
)
def test_other_files(tmp_path, content):
    with pytest.raises(UserError, match=r"x\.pdparams"):
        read_pdparams(written(tmp_path, content))
