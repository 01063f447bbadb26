"""A tiny exported model, made without PyTorch: 2 x 2 mean pooling, a projection, unit length."""

from pathlib import Path

import numpy as np

from mmreid_ext.deploy import ModelInfo

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def record(height=32, width=16, size=8, kind="normalized", weights="ab" * 32, **changes):
    """Return what the model says about itself; ``changes`` replace fields of ``input``."""
    resize = {"type": "resize", "height": height, "width": width}
    return {
        "format": 1,
        "input": {
            "kind": kind,
            "height": height,
            "width": width,
            "channel_order": "RGB",
            "mean": list(MEAN),
            "std": list(STD),
            "steps": [{**resize, "interpolation": "bicubic", "backend": "cv2"}],
            **changes,
        },
        "embedding": {
            "size": size,
            "l2_normalized": True,
            "distance": "cosine",
            "flip_test": False,
            "feature": "mean of the pixels",
        },
        "precision": "fp32",
        "model": {"file": "tiny.pth", "weights": weights, "sha256": "cd" * 32, "config": "tiny"},
        "thresholds": [
            {
                "fpr": fpr,
                "similarity": similarity,
                "tpr": tpr,
                "negatives": 5000,
                "dataset": "people",
                "self_retrieval": False,
            }
            for fpr, similarity, tpr in ((1e-2, 0.5, 0.9), (1e-3, 0.8, 0.7), (1e-4, None, None))
        ],
        "version": "0",
    }


def info(**changes):
    """Return :func:`record` as :class:`mmreid_ext.deploy.ModelInfo`."""
    return ModelInfo.from_record(record(**changes), "test")


def write_onnx(folder, name="model.onnx", about=None, seed=0):
    """Write the model with its record inside, and beside it; return the path.

    Args:
        folder: Where to.
        name: Of the file.
        about: What it says about itself; see :func:`record`.
        seed: Of the projection: another seed is another model.
    """
    import onnx

    about = about or record()
    model = _model(about, seed)
    text = ModelInfo.from_record(about, "test").to_json()
    entry = model.metadata_props.add()
    entry.key, entry.value = "mmreid_ext", text
    path = Path(folder) / name
    onnx.save(model, path)
    path.with_name(f"{name}.json").write_text(text)
    return path


def write_openvino(folder, name="model.xml", about=None, seed=0):
    """Write the same model in OpenVINO's format; return the path of the ``.xml``."""
    import openvino

    path = Path(folder) / name
    onnx_file = write_onnx(folder, f"{path.stem}-as.onnx", about, seed)
    model = openvino.Core().read_model(onnx_file)
    openvino.save_model(model, path, compress_to_fp16=False)
    path.with_name(f"{name}.json").write_text(
        onnx_file.with_name(f"{onnx_file.name}.json").read_text()
    )
    return path


def _model(about, seed):
    from onnx import TensorProto, helper, numpy_helper

    taken, size = about["input"], about["embedding"]["size"]
    height, width, kind = taken["height"], taken["width"], taken["kind"]
    pixels = kind == "uint8"
    shape = ["batch", height, width, 3] if pixels else ["batch", 3, height, width]
    images = helper.make_tensor_value_info(
        "images", TensorProto.UINT8 if pixels else TensorProto.FLOAT, shape
    )
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", size])
    features = 3 * (height // 2) * (width // 2)
    rng = np.random.default_rng(seed)
    values = {
        "weight": (rng.normal(size=(features, size)) / np.sqrt(features)).astype(np.float32),
        "mean": _channels(taken["mean"], 0) / np.float32(255 if kind == "rgb01" else 1),
        "std": _channels(taken["std"], 1) / np.float32(255 if kind == "rgb01" else 1),
        "least": np.float32(1e-12).reshape(1, 1),
    }
    nodes, name = [], "images"
    if pixels:
        nodes += [
            helper.make_node("Cast", [name], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        ]
        name = "planes"
    if kind != "normalized":
        nodes += [
            helper.make_node("Sub", [name, "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "std"], ["scaled"]),
        ]
        name = "scaled"
    nodes += [
        helper.make_node("AveragePool", [name], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weight"], ["raw"]),
        helper.make_node("ReduceL2", ["raw"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Max", ["length", "least"], ["divisor"]),
        helper.make_node("Div", ["raw", "divisor"], ["output"]),
    ]
    used = {name for node in nodes for name in node.input}
    weights = [numpy_helper.from_array(v, k) for k, v in values.items() if k in used]
    graph = helper.make_graph(nodes, "tiny", [images], [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def _channels(values, absent):
    """One number per channel in RGB order, which inputs with the arithmetic inside have."""
    return np.float32([absent] * 3 if values is None else values).reshape(1, 3, 1, 1)
