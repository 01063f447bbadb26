"""The reader of TorchScript files finds what PyTorch wrote, without PyTorch."""

import zipfile

import pytest
import torch
from helpers.exported_model import info

from mmreid_ext.deploy import read_model_info
from mmreid_ext.deploy.model_file.torchscript_file import torchscript_metadata


def test_the_record_that_pytorch_wrote_is_read(tmp_path):
    file = tmp_path / "model.torchscript"
    traced = torch.jit.trace(torch.nn.ReLU(), torch.zeros(1))
    torch.jit.save(traced, str(file), _extra_files={"mmreid_ext": info().to_json()})
    assert read_model_info(file) == info()
    with pytest.raises(OSError, match="longer than 9 bytes"):
        torchscript_metadata(file, "mmreid_ext", 9)
    torch.jit.save(traced, str(file))
    assert torchscript_metadata(file, "mmreid_ext", 99) is None


def test_other_and_damaged_files_are_told(tmp_path):
    file = tmp_path / "model.torchscript"
    file.write_bytes(b"no zip")
    with pytest.raises(OSError, match="no TorchScript file"):
        torchscript_metadata(file, "mmreid_ext", 99)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/extra/mmreid_ext", b"0" * (1 << 24))  # a small file that isn't
    with pytest.raises(OSError, match="longer than"):
        torchscript_metadata(file, "mmreid_ext", 1 << 20)
