"""Rows of a quantised graph get unit length again, in both engines."""

import numpy as np
import pytest

from mmreid_ext.deploy.engines.openvino import compile_on_cpu
from mmreid_ext.export.graph.unit_rows import normalize_rows

onnx = pytest.importorskip("onnx")


def scaling_graph():
    """Return a graph whose rows are three times its input."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    three = onnx.numpy_helper.from_array(np.float32([3]), "three")
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["images", "three"], ["output"]),
            helper.make_node("Identity", ["output"], ["unused"]),
        ],
        "small",
        [helper.make_tensor_value_info("images", kind, ["batch", 4])],
        [helper.make_tensor_value_info("output", kind, ["batch", 4])],
        [three],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


ROWS = np.float32([[3, 4, 0, 0], [0, 0, 0, 0], [1e-3, 0, 0, 0], [1, 1, 1, 1]])
UNIT = np.float32([[0.6, 0.8, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]])


def test_onnx():
    onnxruntime = pytest.importorskip("onnxruntime")
    model = normalize_rows(scaling_graph())
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(["output"], {"images": ROWS})
    assert np.allclose(found, UNIT, atol=1e-6)
    assert [one.name for one in session.get_outputs()] == ["output"]


def test_openvino(tmp_path):
    openvino = pytest.importorskip("openvino")
    onnx.save(scaling_graph(), tmp_path / "small.onnx")
    model = normalize_rows(openvino.Core().read_model(tmp_path / "small.onnx"))
    openvino.save_model(model, tmp_path / "small.xml", compress_to_fp16=False)
    core = openvino.Core()
    compiled = compile_on_cpu(core, core.read_model(tmp_path / "small.xml"), None)
    assert compiled.output(0).get_names() == {"output"} and len(compiled.outputs) == 1
    assert np.allclose(compiled(ROWS)[0], UNIT, atol=1e-6)
