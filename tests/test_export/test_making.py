"""Files of lower precision, made from one float32 graph."""

import json

import numpy as np
import pytest

from mmreid_ext.export.engines import open_file
from mmreid_ext.export.exporting import export_model
from mmreid_ext.export.making import FP32_STEM, Maker
from mmreid_ext.export.plan import ExportPlan
from mmreid_ext.export.sample_images import network_input

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


def test_sixteen_bits_are_half_the_size_and_nearly_the_same(small, tmp_path):
    for precision in ("fp32", "fp16"):
        plan = ExportPlan(tmp_path, ("onnx", "openvino"), precision=precision)
        export_model(None, small.file, plan, say=lambda line: None)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes["model_fp16.bin"] < 0.6 * sizes["model.bin"]
    assert sizes["model_fp16.onnx"] < sizes["model.onnx"]
    model, use = small.embedder.model, small.embedder.use["input"]
    images = network_input(small.inputs, "normalized", model, use).numpy()
    for engine, name in (("ONNX Runtime", "model_fp16.onnx"), ("OpenVINO", "model_fp16.xml")):
        found = open_file(engine, tmp_path / name)(images)
        change = np.abs(found - small.expected).max()
        assert 1e-6 < change < 5e-3, "rounded, and not by much"
    assert json.loads((tmp_path / "model_fp16.xml.json").read_text())["precision"] == "fp16"


def test_the_graph_that_all_are_made_from_has_a_name_of_its_own(tmp_path):
    plan = ExportPlan(tmp_path, ("onnx",))
    maker = Maker(plan, plan, {}, print, False)
    assert maker.base.name == f"{FP32_STEM}.onnx" != plan.file("onnx").name
