"""Divide the rows of a graph's output by their lengths, once more and in float32.

Quantising a graph moves the lengths of its embeddings by some percent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmreid_ext.export.optional import optional

_LEAST = np.float32(1e-12)  # a zero row stays one
_OUTPUT = "output"


def normalize_rows(model: Any) -> Any:
    """Return the model with rows of unit length.

    Args:
        model: An ``openvino.Model``, or an ``onnx.ModelProto`` of opsets 13 to 17. Its output
            ``output`` has shape (N, D).
    """
    if hasattr(model, "graph"):
        return _normalize_onnx(model)
    return _normalize_openvino(model)


def _normalize_onnx(model: Any) -> Any:
    onnx = optional("onnx")
    before, node = f"{_OUTPUT}_of_any_length", onnx.helper.make_node
    for one in model.graph.node:
        for names in (one.input, one.output):
            names[:] = [before if name == _OUTPUT else name for name in names]
    length, least, bounded = (f"{_OUTPUT}_{part}" for part in ("length", "least", "bounded"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(_LEAST.reshape(1, 1), least))
    model.graph.node.extend(
        [
            node("ReduceL2", [before], [length], axes=[1], keepdims=1),
            node("Max", [length, least], [bounded]),
            node("Div", [before, bounded], [_OUTPUT]),
        ]
    )
    return model


def _normalize_openvino(model: Any) -> Any:
    openvino = optional("openvino")
    from openvino import opset13 as ops

    result = model.get_results()[0]
    rows = result.input_value(0)
    rows.get_tensor().set_names(set())
    length = ops.maximum(ops.reduce_l2(rows, np.array([1]), keep_dims=True), _LEAST)
    unit = ops.divide(rows, length)
    unit.output(0).get_tensor().set_names({_OUTPUT})
    normalized = openvino.Model([ops.result(unit)], model.get_parameters(), model.get_name())
    normalized.validate_nodes_and_infer_types()
    return normalized
