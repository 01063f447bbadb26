"""Write a network as a file of each format; nothing of it is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmreid_ext.compat.old_pytorch import BY_TRACING

from .description import KEY, as_text
from .optional import optional

OPSET, DYNAMO_OPSET = 17, 18
"""ONNX operator sets; the newer exporter knows none before 18."""


def write_onnx(
    network: nn.Module, images: Tensor, file: Path, exporter: str, batch: int | None
) -> None:
    """Write an ONNX file without a description.

    Args:
        network: Takes images and returns embeddings.
        images: An example, of the batch size if that is fixed.
        file: Where.
        exporter: One of :data:`.plan.EXPORTERS`.
        batch: Images per call; None: any number.
    """
    optional("onnx")
    names: dict[str, Any] = dict(input_names=["images"], output_names=["output"])
    if exporter == "dynamo":
        optional("onnxscript")
        free = None if batch else {"images": {0: "batch"}}
        torch.onnx.export(
            network,
            (images,),
            str(file),
            dynamo=True,
            opset_version=DYNAMO_OPSET,
            dynamic_shapes=free,
            external_data=False,
            verbose=False,
            **names,
        )
        return
    axes = None if batch else {name: {0: "batch"} for name in ("images", "output")}
    torch.onnx.export(
        network,
        (images,),
        str(file),
        opset_version=OPSET,
        dynamic_axes=axes,
        **BY_TRACING,
        **names,
    )


def describe_onnx(file: Path, description: Mapping[str, Any]) -> None:
    """Write the description into an ONNX file, and check that the file is sound."""
    onnx = optional("onnx")
    model = onnx.load(str(file))
    width = model.graph.output[0].type.tensor_type.shape.dim[1]  # lost in tracing
    width.Clear()
    width.dim_value = description["embedding"]["size"]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: as_text(description)})
    onnx.save(model, str(file))
    onnx.checker.check_model(str(file), full_check=True)


def write_openvino(model: Any, file: Path, description: Mapping[str, Any], half: bool) -> None:
    """Write an OpenVINO model, ``.xml`` and ``.bin``, with its description.

    Args:
        model: An ``openvino.Model``.
        file: The ``.xml`` file.
        description: What goes into it.
        half: Whether weights are kept in 16 bits.
    """
    openvino = optional("openvino")
    model.set_rt_info(as_text(description), ["framework", KEY])
    openvino.save_model(model, str(file), compress_to_fp16=half)


def write_torchscript(
    network: nn.Module, images: Tensor, file: Path, description: Mapping[str, Any]
) -> None:
    """Write a traced module with its description.

    Args:
        network: Takes images and returns embeddings.
        images: An example.
        file: Where.
        description: What goes into it.
    """
    traced = torch.jit.trace(network, (images,), check_trace=False)
    torch.jit.save(traced, str(file), _extra_files={KEY: as_text(description)})
