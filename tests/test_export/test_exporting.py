"""From a checkpoint to files that compute the same."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.export import exporting
from mmreid_ext.export.engines import open_file
from mmreid_ext.export.exporting import export_model
from mmreid_ext.export.plan import INPUTS, ExportPlan
from mmreid_ext.export.sample_images import network_input

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


@pytest.mark.parametrize("kind", INPUTS)
def test_every_format_computes_what_pytorch_does(kind, small, tmp_path):
    said = []
    plan = ExportPlan(tmp_path / "out", ("onnx", "openvino", "torchscript"), input=kind)
    written = export_model(None, small.file, plan, say=said.append)
    names = {path.name for path in plan.folder.iterdir()}
    assert names == {
        *("model.onnx", "model.onnx.json", "model.xml", "model.bin", "model.xml.json"),
        *("model.torchscript", "model.torchscript.json"),
    }
    assert {file.name for one in written for file in one.files} == names
    assert sum("largest difference" in line for line in said) == 4
    images = network_input(small.inputs, kind, small.embedder.model, small.embedder.use["input"])
    for engine, name in (
        ("ONNX Runtime", "model.onnx"),
        ("OpenVINO", "model.xml"),
        ("TorchScript", "model.torchscript"),
    ):
        found = open_file(engine, plan.folder / name)(images.numpy())
        np.testing.assert_allclose(found, small.expected, atol=1e-6)
    for name in ("onnx", "xml", "torchscript"):
        beside = json.loads((plan.folder / f"model.{name}.json").read_text())
        assert beside["input"]["kind"] == kind


def test_a_file_that_computes_something_else_is_not_kept(small, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "embeddings_of", lambda *args: small.expected + 1e-4)
    plan = ExportPlan(tmp_path / "out")
    with pytest.raises(UserError, match=r"model.onnx was not kept: .* difference .* 1.0e-04"):
        export_model(None, small.file, plan, say=lambda line: None)
    assert not plan.folder.exists()


def test_side_cars_stand_beside_every_format(small, tmp_path):
    def sidecar(file, description):
        return {f"{file.name}.note": f"{description['input']['height']} {file.suffix}".encode()}

    plan = replace(ExportPlan(tmp_path), formats=("onnx", "torchscript"), sidecars=(sidecar,))
    export_model(None, small.file, plan, say=lambda line: None)
    assert (tmp_path / "model.onnx.note").read_text() == "16 .onnx"
    assert (tmp_path / "model.torchscript.note").read_text() == "16 .torchscript"
