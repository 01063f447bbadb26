"""Draw the numbers of a weight from its name, alike on every machine and version.

NumPy's ``RandomState`` never changes its streams. This file loads neither PyTorch nor Paddle.
"""

from __future__ import annotations

import math
import zlib

import numpy as np


def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of a weight.

    Statistics are those of no data. Affines of norms lie around 1, gates in [0, 1], and matrices
    keep the size of what they multiply.

    Args:
        name: Its name in PyTorch's or Paddle's state dictionary.
        shape: Its shape; the first dimension of a matrix is that of its output.
    """
    random = np.random.RandomState(zlib.crc32(name.encode()))
    last = name.rpartition(".")[2]
    if last == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if last in ("running_mean", "_mean"):
        return np.zeros(shape, np.float32)
    if last in ("running_var", "_variance"):
        return np.ones(shape, np.float32)
    if last == "gate":
        return random.random_sample(shape).astype(np.float32)
    if len(shape) == 1:  # of norms, and biases
        low = 0.5 if last in ("weight", "gamma", "scale", "p") else -0.5
        return (low + random.random_sample(shape)).astype(np.float32)
    drawn = random.standard_normal(shape)
    if "embed" in name and "proj" not in name or "token" in name or "bias_table" in name:
        return (0.5 * drawn).astype(np.float32)
    return (math.sqrt(2 / math.prod(shape[1:])) * drawn).astype(np.float32)
