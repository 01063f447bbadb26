"""Both loaders (PyTorch's own with stand-ins, and the restricted unpickler) on every PyTorch."""

import collections
import io
import os
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from helpers.saved import Call, saved
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
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


def rewritten(path, change):
    """Write a checkpoint's pickle as ``change`` returns it, with right checksums."""
    buffer = io.BytesIO()
    torch.save({"name": torch.arange(4.0)}, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            pickled = entry.filename.endswith("data.pkl")
            new.writestr(entry.filename, change(content) if pickled else content)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda pickled: pickled.replace(b"name", b"na\xe6e"),
        lambda pickled: pickled.replace(b"ctorch\n", b"cto\xf5ch\n"),
        lambda pickled: pickled.replace(b"K\x04", b"K\x09"),  # more elements than the storage has
        lambda pickled: pickled[: len(pickled) // 2],
    ],
    ids=["text", "global", "storage", "half"],
)
def test_a_damaged_pickle_is_told_in_one_line(loader, tmp_path, change):
    with pytest.raises(UserError, match=r"bad\.pth (is damaged|was refused)") as error:
        loader(rewritten(tmp_path / "bad.pth", change))
    assert str(error.value).isprintable()


def test_a_name_in_a_file_writes_no_control_codes_to_the_terminal(loader, tmp_path):
    path = rewritten(tmp_path / "bad.pth", lambda _: b"\x80\x02cos\x1b[2J\nsys\x07tem\n.")
    with pytest.raises(UnsafeCheckpointError, match="was refused") as error:
        loader(path)
    assert str(error.value).isprintable()


def test_errors_of_the_machine_stay_those_of_pytorch(tmp_path, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    path = saved(tmp_path / "a.pth", {"x": 1})
    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(RuntimeError, match="not enough memory"):
        safe_load(path)


@pytest.mark.parametrize("name", ["train", "resume", "test", "same", "search", "embed"])
def test_every_tool_ends_in_one_line(tmp_path, monkeypatch, capsys, name):
    config = write_tiny_config(tmp_path)
    file = saved(tmp_path / "bad.pth", dict(state_dict=Call(os.system, "true"), optimizer={}))
    picture, folder = tmp_path / "0.png", ("--work-dir", tmp_path / "run")
    arguments = {
        "train": ("train", config, *folder, "--cfg-options", f"load_from={file}"),
        "resume": ("train", config, *folder, "--resume", file),
        "test": ("test", config, file, *folder),
        "same": ("same", picture, picture, "--model", file),
        "search": ("search", picture, "--gallery", tmp_path, "--model", file),
        "embed": ("embed", file, tmp_path, "--out", tmp_path / "features.npz"),
    }[name]
    tool, *rest = arguments
    with pytest.raises(SystemExit) as end:
        run_tool(tool, monkeypatch, *rest)
    told = capsys.readouterr().err
    assert end.value.code or "error: " in told
    lines = [line for line in f"{told}\n{end.value.code}".splitlines() if "was refused" in line]
    assert len(lines) == 1 and "system" in lines[0] and "Traceback" not in told
