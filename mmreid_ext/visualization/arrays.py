"""Take arrays of any kind as NumPy arrays that are only read."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor


def as_numpy(values: Any) -> np.ndarray:
    """Take a tensor (any device, any type, with or without gradient), an array or a list."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.double() if values.is_floating_point() else values).numpy()
    return np.asarray(values)
