import numpy as np
import pytest

from mmreid_ext.export.graph.half_weights import halve_weights

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def graph(weight, bias):
    """A linear layer and an addition."""
    make, tensor = onnx.helper, onnx.numpy_helper.from_array
    value = lambda name, size: make.make_tensor_value_info(  # noqa: E731
        name, onnx.TensorProto.FLOAT, ["batch", size]
    )
    nodes = [
        make.make_node("MatMul", ["images", "weight"], ["product"]),
        make.make_node("Add", ["product", "bias"], ["output"]),
    ]
    inside = make.make_graph(
        nodes,
        "linear",
        [value("images", 8)],
        [value("output", 8)],
        [tensor(weight, "weight"), tensor(bias, "bias")],
    )
    return make.make_model(inside, opset_imports=[make.make_opsetid("", 17)], ir_version=8)


def types(model):
    return {i.name: i.data_type for i in model.graph.initializer}


def test_weights_are_halved_and_the_rest_stays():
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(8, 8)).astype("f4"), rng.normal(size=8).astype("f4")
    model = graph(weight, bias)
    assert halve_weights(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert types(model) == {
        "weight_fp16": onnx.TensorProto.FLOAT16,
        "bias": onnx.TensorProto.FLOAT,
    }
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    images = rng.normal(size=(3, 8)).astype("f4")
    (found,) = session.run(None, {"images": images})
    expected = images @ weight.astype("f2").astype("f4") + bias
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert abs(expected - (images @ weight + bias)).max() > 1e-5, "they were rounded"


def test_weights_out_of_range_stay():
    model = graph(np.full((8, 8), 1e5, "f4"), np.zeros(8, "f4"))
    assert halve_weights(model) == 0
    assert set(types(model).values()) == {onnx.TensorProto.FLOAT}
