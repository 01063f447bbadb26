"""Quantise a graph to 8 bits by NNCF, with images that show which values occur."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from mmreid_ext.deploy.own_thread import call_in_own_thread
from mmreid_ext.errors import UserError
from mmreid_ext.export.optional import optional

from .unit_rows import normalize_rows

CALIBRATION_IMAGES = 200
"""Images that are enough; more only take time."""


def quantize(model: Any, images: np.ndarray, batch: int | None = None) -> Any:
    """Return a model whose weights and activations are 8-bit numbers; its rows have unit length.

    NNCF's default settings are kept: batch-instance norm survives them, and a graph whose
    arithmetic of norms is left in float32 doesn't compile in OpenVINO.

    Args:
        model: An ``openvino.Model`` or an ``onnx.ModelProto`` of opset 13 or later.
        images: As the file takes them, (N, ...).
        batch: The file's own batch size; None: any.

    Raises:
        UserError: If there are fewer images than the batch size.
    """
    os.environ.setdefault("NNCF_CI", "1")  # else it reports each use to a server of statistics
    nncf = optional("nncf")
    size = batch or 1
    count = len(images) // size
    if count == 0:
        raise UserError(
            f"export: {len(images)} images to calibrate with are fewer than batch={size}; "
            "give a folder with more."
        )
    parts = [np.ascontiguousarray(images[n * size : (n + 1) * size]) for n in range(count)]
    data = nncf.Dataset(parts, lambda part: {"images": part})
    # As `compile_on_cpu`: OpenVINO's plugin is bad for the signals of the thread that loads it.
    quantized = call_in_own_thread(lambda: nncf.quantize(model, data, subset_size=count))
    return normalize_rows(quantized)
