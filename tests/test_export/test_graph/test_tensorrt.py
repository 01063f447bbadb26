import numpy as np
import pytest

from mmreid_ext.export.graph.half_weights import halve_weights
from mmreid_ext.export.graph.tensorrt import OPERATORS, obstacles

onnx = pytest.importorskip("onnx")
FLOAT, UINT8 = 1, 2


def model(operator="Relu", sizes=("batch", 3, 8, 8), kind=FLOAT, opset=17, domain=""):
    """One operator on the images."""
    make = onnx.helper
    node = make.make_node(operator, ["images"], ["output"], domain=domain)
    inside = make.make_graph(
        [node],
        "one",
        [make.make_tensor_value_info("images", kind, sizes)],
        [make.make_tensor_value_info("output", FLOAT, sizes)],
    )
    return make.make_model(inside, opset_imports=[make.make_opsetid("", opset)])


def convolution(dtype="f4"):
    found = model("Conv")
    weight = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), dtype), "weight")
    found.graph.initializer.append(weight)
    found.graph.node[0].input.append("weight")
    return found


def quantized(point):
    found = model("QuantizeLinear")
    found.graph.node[0].input.extend(["scale", "point"])
    found.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1), "scale"))
    found.graph.initializer.append(onnx.numpy_helper.from_array(point, "point"))
    return found


@pytest.mark.parametrize(
    "found",
    [model(), model("Cast", kind=UINT8), convolution(), quantized(np.int8(0))],
    ids=["floats", "bytes", "weights", "symmetric"],
)
def test_nothing_is_known_against_it(found):
    assert obstacles(found) == []


@pytest.mark.parametrize(
    "found, words",
    [
        (model("NonZero"), "not on TensorRT's list: NonZero"),
        (model("Mine", domain="me"), "operators of 'me' need a plugin"),
        (model(sizes=("batch", 3, "height", 8)), "open size other than the batch"),
        (model("Transpose", kind=UINT8), "cast before anything else"),
        (model(opset=8), "opset 8 is outside of 9 to 20"),
        (convolution("f8"), "float64"),
        (quantized(np.int8(3)), "zero points other than 0"),
        (quantized(np.uint8(0)), "symmetric quantisation only"),
    ],
)
def test_each_obstacle_is_named(found, words):
    (text,) = obstacles(found)
    assert words in text


def test_the_file_with_weights_of_16_bits():
    found = convolution()
    assert halve_weights(found) == 1
    assert "with --fp16 instead" in obstacles(found)[0]


def test_the_list_knows_what_a_batch_instance_norm_becomes():
    assert {"ReduceMean", "Sub", "Mul", "Add", "Div", "Sqrt", "InstanceNormalization"} <= OPERATORS
