"""Write a small network as an exported file, with its record, without PyTorch."""

import json

import numpy as np


def record_of(kind="normalized", height=64, width=32, size=24, **changes):
    """Return the record of an exported model; see ``docs/deploy/embedder.md``."""
    steps = [
        dict(type="resize", height=height, width=width, interpolation="bicubic", backend="cv2")
    ]
    taken = dict(
        kind=kind,
        height=height,
        width=width,
        channel_order="RGB",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        steps=steps,
    )
    embedding = dict(
        size=size, l2_normalized=True, distance="cosine", flip_test=False, feature="test"
    )
    return {
        "format": 1,
        "input": taken | changes,
        "embedding": embedding,
        "precision": "fp32",
        "model": {"file": "best.pth", "weights": "0123abcd", "sha256": None, "config": None},
        "thresholds": [],
        "version": "0",
    }


def write_tiny_onnx(path, record, seed=0, batch="batch", text=None):
    """Write two convolutions, their means over quarters of the rows, and a unit vector.

    Args:
        path: The file.
        record: See :func:`record_of`.
        seed: Of the weights.
        batch: Number of pictures per call, or a name for any number.
        text: Written instead of the record, if given.
    """
    from onnx import TensorProto, checker, helper, numpy_helper, save

    taken, size = record["input"], record["embedding"]["size"]
    height, width, kind = taken["height"], taken["width"], taken["kind"]
    generator = np.random.default_rng(seed)
    constants, nodes = {}, []

    def constant(name, value, dtype=np.float32):
        constants[name] = np.asarray(value, dtype)
        return name

    def node(operation, *inputs, output, **attributes):
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    x = "images"
    if kind == "uint8":
        x = node("Cast", x, output="numbers", to=TensorProto.FLOAT)
        x = node("Transpose", x, output="planes", perm=[0, 3, 1, 2])
    if kind != "normalized":
        scale = 1 if kind == "uint8" else 255
        flip = 1 if taken["channel_order"] == "RGB" else -1
        mean = np.reshape(taken["mean"][::flip], (1, 3, 1, 1)) / scale
        std = np.reshape(taken["std"][::flip], (1, 3, 1, 1)) / scale
        x = node("Sub", x, constant("mean", mean), output="centred")
        x = node("Div", x, constant("std", std), output="scaled")
        if flip < 0:
            x = node("Gather", x, constant("bgr", [2, 1, 0], np.int64), output="bgr_planes", axis=1)
    weights = generator.normal(0, 0.3, (16, 3, 3, 3)), generator.normal(0, 0.1, (32, 16, 3, 3))
    for i, weight in enumerate(weights):
        x = node(
            *("Conv", x, constant(f"weight{i}", weight)),
            **dict(output=f"conv{i}", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        )
        x = node("Relu", x, output=f"relu{i}")
    quarter = [height // 16, width // 4]
    x = node("AveragePool", x, output="pooled", kernel_shape=quarter, strides=quarter)
    x = node("Flatten", x, output="flat")
    x = node("MatMul", x, constant("last", generator.normal(0, 1, (128, size))), output="raw")
    node("LpNormalization", x, output="output", axis=1, p=2)
    shape = [batch, height, width, 3] if kind == "uint8" else [batch, 3, height, width]
    type_ = TensorProto.UINT8 if kind == "uint8" else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", type_, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, size])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"mmreid_ext": text or json.dumps(record)})
    checker.check_model(model)
    save(model, str(path))
