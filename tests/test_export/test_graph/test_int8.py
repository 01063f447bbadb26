from threading import current_thread

import numpy as np
import pytest
from helpers.tools import run_python

from mmreid_ext.deploy.model_info import read_model_info
from mmreid_ext.errors import UserError
from mmreid_ext.export import exporting
from mmreid_ext.export.engines import open_file
from mmreid_ext.export.graph.int8 import quantize
from mmreid_ext.export.plan import ExportPlan

nncf = pytest.importorskip("nncf")
onnx = pytest.importorskip("onnx")


def test_fewer_images_than_a_batch():
    with pytest.raises(UserError, match="3 images to calibrate with are fewer than batch=4"):
        quantize(None, np.zeros((3, 1)), batch=4)


@pytest.mark.parametrize("batch", [None, 2])
def test_both_formats_are_quantised(small, tmp_path, batch, monkeypatch):
    monkeypatch.setattr(exporting, "CALIBRATION_IMAGES", 8)
    said = []
    plan = ExportPlan(tmp_path, ("onnx", "openvino"), "uint8", "int8", batch=batch)
    written = exporting.export_model(None, small.file, plan, say=said.append)
    model = onnx.load(str(tmp_path / "model_int8.onnx"))
    kinds = [node.op_type for node in model.graph.node]
    assert "QuantizeLinear" in kinds and "DequantizeLinear" in kinds
    assert "FakeQuantize" in (tmp_path / "model_int8.xml").read_text()
    assert any("calibrated with drawn people" in line for line in said)
    assert any("quantising the OpenVINO graph to int8 by 8 images" in line for line in said)
    assert {one.batches for files in written for one in files.agreements} == {
        (batch,) if batch else (1, 2, 7)
    }
    assert '"precision": "int8"' in model.metadata_props[0].value
    for name, engine in (("model_int8.onnx", "ONNX Runtime"), ("model_int8.xml", "OpenVINO")):
        info = read_model_info(tmp_path / name)
        shape = (batch or 5, info.height, info.width, 3)
        images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        rows = open_file(engine, tmp_path / name)(images)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_it_runs_in_a_thread_of_its_own(monkeypatch):
    """Else OpenVINO leaves the calling thread's signals a stack that is gone."""
    threads = []
    monkeypatch.setattr(nncf, "quantize", lambda *_, **__: threads.append(current_thread()))
    monkeypatch.setattr("mmreid_ext.export.graph.int8.normalize_rows", lambda model: model)
    quantize(None, np.zeros((1, 1)))
    assert threads and current_thread() not in threads


def test_nothing_is_reported_to_anybody():
    """In a process of its own: under pytest NNCF never reports."""
    code = (
        "import os, numpy as np; os.environ.pop('CI', None)\n"
        "from mmreid_ext.export.graph.int8 import quantize\n"
        "try: quantize(None, np.zeros((0, 1)))\n"
        "except ValueError: pass\n"
        "import nncf.telemetry.wrapper as w; print(isinstance(w.telemetry, w.NNCFTelemetry))"
    )
    assert run_python(code).stdout.strip() == "False"
