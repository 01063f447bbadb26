"""Say whether TensorRT takes an ONNX file, as far as the file shows that."""

from __future__ import annotations

from typing import Any

from mmreid_ext.export.optional import optional

FIRST_OPSET, LAST_OPSET = 9, 20
"""Operator sets: the parser promises 9 and above, and TensorRT 10 knows those up to 20."""

OPERATORS = frozenset(
    (
        *("Add", "And", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat"),
        *("Constant", "ConstantOfShape", "Conv", "ConvTranspose", "DequantizeLinear", "Div"),
        *("Dropout", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor"),
        *("Gather", "GatherElements", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool"),
        *("Greater", "GreaterOrEqual", "GroupNormalization", "HardSigmoid", "HardSwish"),
        *("Identity", "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Less"),
        *("LessOrEqual", "Log", "LpNormalization", "MatMul", "Max", "MaxPool", "Min", "Mul"),
        *("Neg", "Not", "Or", "PRelu", "Pad", "Pow", "QuantizeLinear", "Range", "Reciprocal"),
        *("ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"),
        *("ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "Shape"),
        *("Sigmoid", "Sign", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "Squeeze", "Sub"),
        *("Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Where", "Xor"),
    )
)
"""Of the parser's list "Supported ONNX Operators" those that networks of images use."""


def obstacles(model: Any) -> list[str]:
    """List what would keep TensorRT from building an engine; no file was tried in it.

    Args:
        model: An ``onnx.ModelProto``.

    Returns:
        One sentence each; empty if nothing is known against the file.
    """
    onnx = optional("onnx")
    found = []
    opsets = {o.domain: o.version for o in model.opset_import}
    if not FIRST_OPSET <= opsets.get("", 0) <= LAST_OPSET:
        found.append(
            f"opset {opsets.get('', 0)} is outside of {FIRST_OPSET} to {LAST_OPSET}; export again"
        )
    domains = sorted({node.domain for node in model.graph.node} - {"", "ai.onnx"})
    found += [f"operators of {domain!r} need a plugin" for domain in domains]
    names = {node.op_type for node in model.graph.node if node.domain in ("", "ai.onnx")}
    if unknown := sorted(names - OPERATORS):
        found.append(f"operators that are not on TensorRT's list: {', '.join(unknown)}")
    for value in model.graph.input:
        tensor = value.type.tensor_type
        if any(not size.dim_value for size in tensor.shape.dim[1:]):
            found.append(f"{value.name} has an open size other than the batch")
        readers = {node.op_type for node in model.graph.node if value.name in node.input}
        if tensor.elem_type == onnx.TensorProto.UINT8 and readers != {"Cast"}:
            found.append(f"{value.name} holds bytes, which must be cast before anything else")
    return found + _about_weights(model, onnx)


def _about_weights(model: Any, onnx: Any) -> list[str]:
    found = []
    weights = {weight.name: weight for weight in model.graph.initializer}
    if any(weight.data_type == onnx.TensorProto.DOUBLE for weight in weights.values()):
        found.append("it has weights in float64")
    cast = {n.output[0] for n in model.graph.node if n.op_type == "Cast" and n.input[0] in weights}
    if any(node.op_type == "Conv" and node.input[1] in cast for node in model.graph.node):
        found.append("weights of 16 bits are cast: give it the fp32 file with --fp16 instead")
    points = {n.input[2] for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[2:]}
    known = [onnx.numpy_helper.to_array(weights[name]) for name in points if name in weights]
    if any(point.any() or point.dtype != "int8" for point in known):
        found.append("int8 with zero points other than 0: it takes symmetric quantisation only")
    return found
