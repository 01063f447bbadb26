"""Keep the weights of an ONNX graph in 16 bits; they are computed with in 32.

Converters that turn the whole graph into 16 bits also round what lies between the layers. The
squares in a norm's variance then leave the range of 16 bits for activations below 2e-4 or above
256, and a batch-instance norm computes it from every image. On CPUs such a file is no quicker.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmreid_ext.export.optional import optional

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_FEWEST = 32
"""Values: smaller weights save nothing."""


def halve_weights(model: Any) -> int:
    """Store weights of convolutions and linear layers as float16, each before a cast to float32.

    Weights that float16 can't hold stay as they are.

    Args:
        model: An ``onnx.ModelProto``, changed in place.

    Returns:
        How many weights were changed.
    """
    onnx = optional("onnx")
    graph = model.graph
    used = {name for node in graph.node if node.op_type in _LAYERS for name in node.input}
    casts = []
    for weight in graph.initializer:
        if weight.name not in used or weight.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(weight)
        if values.size < _FEWEST or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        wide, narrow = weight.name, f"{weight.name}_fp16"
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), narrow))
        casts.append(
            onnx.helper.make_node(
                "Cast", [narrow], [wide], name=f"{wide}_cast", to=onnx.TensorProto.FLOAT
            )
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return len(casts)
