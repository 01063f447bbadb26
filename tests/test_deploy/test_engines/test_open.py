"""The engine is that of the file, or the one asked for."""

import numpy as np
import onnx
import pytest
from helpers.exported_model import write_onnx, write_openvino

from mmreid_ext.deploy.engines import ENGINES, open_engine
from mmreid_ext.errors import UserError


def test_each_file_has_its_engine(tmp_path):
    file, xml = write_onnx(tmp_path), write_openvino(tmp_path)
    assert open_engine(file).name == "onnxruntime"
    assert open_engine(xml).name == open_engine(file, "openvino").name == "openvino"
    with pytest.raises(UserError, match="onnxruntime runs .onnx files only"):
        open_engine(xml, "onnxruntime")
    with pytest.raises(UserError, match="engine='openvno' .did you mean 'openvino'"):
        open_engine(file, "openvno")
    with pytest.raises(UserError, match="providers are those of ONNX Runtime"):
        open_engine(xml, providers=["CPUExecutionProvider"])


def test_torchscript_needs_pytorch(tmp_path):
    with pytest.raises(UserError, match="can't be run without PyTorch"):
        open_engine(tmp_path / "model.torchscript")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("inputs, outputs", [(2, 1), (1, 2), (1, 0), (0, 1)])
def test_a_model_with_another_number_of_inputs_or_outputs_is_refused(
    tmp_path, engine, inputs, outputs
):
    file = write_onnx(tmp_path)
    model = onnx.load(file)
    graph = model.graph
    if inputs == 2:  # one that nothing needs counts, too
        graph.input.insert(0, onnx.helper.make_tensor_value_info("more", 1, ["batch", 8]))
    if outputs == 2:  # the other one comes first
        graph.node.append(onnx.helper.make_node("Neg", ["output"], ["more"]))
        graph.output.insert(0, onnx.helper.make_tensor_value_info("more", 1, ["batch", 8]))
    if inputs == 0:
        images = np.zeros((1, 3, 32, 16), np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(images, graph.input.pop().name))
    if outputs == 0:
        graph.output.pop()
    onnx.save(model, file)
    with pytest.raises(UserError, match=r"model.onnx has [02] (in|out)puts?.*models with one"):
        open_engine(file, engine)
