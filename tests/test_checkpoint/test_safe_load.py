"""Both loaders (PyTorch's own with stand-ins, and the restricted unpickler) on every PyTorch."""

import collections
import io
import os
import pickle
import sys
import types

import numpy as np
import pytest
import torch
from helpers.saved import Call, saved
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmreid_ext.checkpoint import UnsafeCheckpointError, safe_load
from mmreid_ext.checkpoint.safe_load import RestrictedUnpickler
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_tensors_and_plain_types(loader, tmp_path, legacy):
    content = {
        "float": torch.randn(3, generator=torch.Generator().manual_seed(0)),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "parameter": torch.nn.Parameter(torch.ones(1)),
        "ordered": collections.OrderedDict(a=1),
        "items": (1, -(2**40), 2.5, True, None, "text", b"\x00\xff", {1, 2}, torch.Size([2])),
        "dtype": torch.float16,
        "config": ConfigDict(a=dict(b=1)),
    }
    content["shared"] = content["float"]
    path = saved(tmp_path / "t.pth", content, _use_new_zipfile_serialization=not legacy)
    loaded = loader(path)
    assert torch.equal(loaded["float"], content["float"])
    assert loaded["half"].dtype == torch.bfloat16
    assert loaded["bytes"].tolist() == [0, 1, 2, 3, 4]
    assert isinstance(loaded["parameter"], torch.nn.Parameter)
    assert loaded["items"] == content["items"] and loaded["dtype"] is torch.float16
    assert loaded["config"].a.b == 1
    assert loaded["float"].data_ptr() == loaded["shared"].data_ptr()


def _touch(path):
    open(path, "w").close()


@pytest.mark.parametrize(
    ("function", "args", "named"),
    [
        (os.system, ("true",), "system"),
        (eval, ("1",), "eval"),
        (getattr, (HistoryBuffer, "__init__"), "getattr"),
        (np.load, ("x",), "numpy"),
        (pickle.loads, (b"",), "pickle"),
        (_touch, ("owned",), "_touch"),
    ],
    ids=["system", "eval", "getattr", "numpy.load", "pickle.loads", "own-function"],
)
def test_calls_are_refused_by_name(loader, tmp_path, monkeypatch, function, args, named):
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "bad.pth", {"x": Call(function, *args)})
    with pytest.raises(
        UnsafeCheckpointError, match=rf"bad\.pth was refused: it asks for .*{named}"
    ):
        loader(path)
    assert not (tmp_path / "owned").exists()


def test_getattr_of_a_listed_function_is_refused(loader, tmp_path):
    call = Call(getattr, torch._utils._rebuild_tensor_v2, "__globals__")
    with pytest.raises(UnsafeCheckpointError, match="getattr"):
        loader(saved(tmp_path / "bad.pth", call))


def test_state_cannot_be_planted_on_a_listed_function():
    """The BUILD instruction would set attributes of anything: the C unpickler would do it."""
    data = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x07\x00\x00\x00plantedK\x01sb."
    with pytest.raises(pickle.UnpicklingError, match="state is refused"):
        RestrictedUnpickler(io.BytesIO(data)).load()
    assert not hasattr(torch._utils._rebuild_tensor_v2, "planted")


def test_raw_pickle_is_refused(loader, tmp_path):
    path = tmp_path / "raw.pkl"
    path.write_bytes(pickle.dumps(Call(os.system, "true")))
    with pytest.raises(UnsafeCheckpointError, match=r"raw\.pkl was refused"):
        loader(path)


@pytest.mark.parametrize(
    "content", [b"", b"hello, this is text", b"PK\x03\x04 no archive"], ids=len
)
def test_damaged_file_is_named(loader, tmp_path, content):
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    with pytest.raises((ValueError, UnsafeCheckpointError), match=r"damaged\.pth (is|was)"):
        loader(path)


def test_truncated_file_is_named(loader, tmp_path):
    path = saved(tmp_path / "cut.pth", {"x": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"cut\.pth is damaged or incomplete"):
        loader(path)


def test_allow_list_of_the_user_survives_and_ours_does_not_leak(tmp_path):
    """On a PyTorch without safe globals both lists are empty."""
    mine = collections.namedtuple("Mine", "x")
    registry = torch.serialization
    getattr(registry, "add_safe_globals", len)([mine, np.dtype])
    current = getattr(registry, "get_safe_globals", list)
    before = set(current())
    try:
        loaded = safe_load(saved(tmp_path / "a.pth", {"x": np.arange(3)}))
        np.testing.assert_array_equal(loaded["x"], np.arange(3))
        assert set(current()) == before
    finally:
        getattr(registry, "clear_safe_globals", int)()


def test_safetensors_are_read_by_their_package_or_it_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(UserError, match="a.safetensors .*`pip install safetensors`"):
        safe_load(path)
    reader = types.SimpleNamespace(load_file=lambda name: dict(w=torch.ones(1)))
    monkeypatch.setitem(sys.modules, "safetensors.torch", reader)
    assert list(safe_load(path)) == ["w"]
    reader.load_file = lambda name: {}[name]
    with pytest.raises(UserError, match="a.safetensors is damaged"):
        safe_load(path)
