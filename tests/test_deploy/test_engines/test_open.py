"""The engine is that of the file, or the one asked for."""

import pytest
from helpers.exported_model import write_onnx, write_openvino

from mmreid_ext.deploy.engines import open_engine
from mmreid_ext.errors import UserError


def test_each_file_has_its_engine(tmp_path):
    onnx, xml = write_onnx(tmp_path), write_openvino(tmp_path)
    assert open_engine(onnx).name == "onnxruntime"
    assert open_engine(xml).name == open_engine(onnx, "openvino").name == "openvino"
    with pytest.raises(UserError, match="onnxruntime runs .onnx files only"):
        open_engine(xml, "onnxruntime")
    with pytest.raises(UserError, match="engine='openvno' .did you mean 'openvino'"):
        open_engine(onnx, "openvno")
    with pytest.raises(UserError, match="providers are those of ONNX Runtime"):
        open_engine(xml, providers=["CPUExecutionProvider"])


def test_torchscript_needs_pytorch(tmp_path):
    with pytest.raises(UserError, match="can't be run without PyTorch"):
        open_engine(tmp_path / "model.torchscript")
