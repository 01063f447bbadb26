"""Check what goes into an engine and what comes out: engines convert or fail in their own words."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmreid_ext.errors import UserError, UserTypeError

from .preprocessing import Preparation

_SLACK = 1e-3
"""Rounding of somebody else's arithmetic, as a part of the range."""


def check_inputs(inputs: Any, expected: Preparation) -> None:
    """Check a batch.

    Args:
        inputs: What was given.
        expected: Shape, type and limits of an input.

    Raises:
        UserError: If it has another shape or type, or numbers that no picture gives.
    """
    if not isinstance(inputs, np.ndarray):
        raise UserTypeError(
            f"embed_inputs: inputs is of type {type(inputs).__name__}, must be an array: "
            "np.stack([embedder.prepare(picture), ...])."
        )
    if inputs.dtype != expected.dtype:  # OpenVINO would convert without a word
        raise UserTypeError(
            f"embed_inputs: inputs is of type {inputs.dtype}, the model takes {expected.dtype}; "
            "embedder.prepare(picture) makes it."
        )
    if inputs.shape[1:] != expected.shape or inputs.ndim != len(expected.shape) + 1:
        wanted = ", ".join(map(str, ("N", *expected.shape)))
        raise UserError(
            f"embed_inputs: inputs has shape {inputs.shape}, the model takes ({wanted}); "
            "embedder.prepare(picture) makes it."
        )
    if inputs.size == 0 or inputs.dtype == np.uint8:
        return
    least, most = float(inputs.min()), float(inputs.max())
    lower, upper = expected.limits
    slack = _SLACK * (upper - lower)
    if not (lower - slack <= least and most <= upper + slack):  # also false for NaN
        raise UserError(
            f"embed_inputs: the numbers of inputs lie between {least:.4g} and {most:.4g}, those of "
            f"pictures between {lower:.4g} and {upper:.4g} (kind {expected.info.kind!r}); "
            "embedder.prepare(picture) makes them."
        )


def unit_rows(output: np.ndarray, count: int, size: int) -> np.ndarray:
    """Return what an engine gave as rows of unit length.

    Args:
        output: What it gave.
        count: Inputs.
        size: Numbers of an embedding.

    Returns:
        Shape (N, D), float32.

    Raises:
        UserError: If it has another shape, or numbers that aren't finite.
    """
    shape = output.shape if isinstance(output, np.ndarray) else type(output).__name__
    if shape != (count, size) or output.dtype.kind not in "fiu":
        raise UserError(
            f"The model gave an array of shape {shape} for {count} images, its record says "
            f"({count}, {size}) of numbers; export it again."
        )
    rows = output.astype(np.float32, copy=False)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        row = int(np.flatnonzero(~np.isfinite(lengths))[0])
        raise UserError(
            f"The model gave numbers that aren't finite for input {row} of the batch; its weights "
            "are damaged or its precision is too low: export it again with --precision fp32."
        )
    return rows / np.maximum(lengths, np.float32(1e-12))
