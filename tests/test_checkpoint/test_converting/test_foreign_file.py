import pytest
import torch

from mmreid_ext.checkpoint.converting import read_foreign
from mmreid_ext.checkpoint.usage import KEY
from mmreid_ext.errors import MissingFileError, UserError

W = {"a.weight": torch.ones(2)}


def saved(tmp_path, content, name="file.pth"):
    torch.save(content, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize(
    "content",
    [
        W,
        {"state_dict": W, "epoch": 3, "optimizer": {"state": {}}},
        {"model": W, "iteration": 5},
        {"teacher": {"state_dict": W}},
        {"module.a.weight": torch.ones(2)},
        {"module.module.a.weight": torch.ones(2)},
        {**W, "epoch": 3},
    ],
    ids=["plain", "state_dict", "model", "teacher", "module", "twice", "beside"],
)
def test_weights_in_any_wrapping(tmp_path, content):
    (found,) = read_foreign(saved(tmp_path, content)).items()
    assert found[0] == "a.weight" and found[1].equal(W["a.weight"])


def test_safetensors(tmp_path):
    from safetensors.torch import save_file

    save_file(W, tmp_path / "file.safetensors")
    assert list(read_foreign(tmp_path / "file.safetensors")) == ["a.weight"]


@pytest.mark.parametrize(
    "content, message",
    [
        ({"epoch": 3}, "holds no weights: its entries are epoch"),
        ({}, "holds no weights: it is empty"),
        ([torch.ones(1)], "holds a list, must be weights by name"),
        ({"meta": {KEY: {"format": 1}}, "state_dict": W}, "is a checkpoint of this package"),
    ],
)
def test_files_without_foreign_weights(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read_foreign(saved(tmp_path, content))


def test_other_formats_and_missing_files(tmp_path):
    with pytest.raises(MissingFileError, match="No file"):
        read_foreign(tmp_path / "none.pth")
    for suffix, word in ((".pdiparams", "give the .pdparams"), (".onnx", "exported network")):
        (tmp_path / f"x{suffix}").write_bytes(b"x")
        with pytest.raises(UserError, match=word):
            read_foreign(tmp_path / f"x{suffix}")
