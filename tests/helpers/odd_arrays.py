"""One matrix of features in the many forms that callers hand over.

Its values are exact in every floating type, so each form holds the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

TYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


def exact_values(rows: int, dim: int, seed: int = 0) -> np.ndarray:
    """Float64 numbers of eight bits: whole multiples of 1/32 up to 4. Some rows tie, one is 0."""
    values = np.random.default_rng(seed).integers(-127, 128, (rows, dim)) / 32
    values[1] = values[0]  # a tie
    values[2] = 0.5 * np.round(values[0] * 16) / 16
    values[3] = 0.0
    return values


def _strided(values: np.ndarray) -> np.ndarray:
    base = np.full((2 * len(values), values.shape[1] + 3), 7.0, values.dtype)
    base[::2, 2:-1] = values
    return base[::2, 2:-1]


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def _field(values: np.ndarray) -> np.ndarray:
    """A field of records, whose strides are no multiples of its items."""
    records = np.zeros(values.shape, dtype=[("flag", "u1"), ("value", values.dtype)])
    records["value"] = values
    return records["value"]


NUMPY_FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": np.array,
    "fortran": np.asfortranarray,
    "strided": _strided,
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "read_only": _read_only,
    "big_endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "field": _field,
}

TORCH_FORMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "plain": torch.clone,
    "transposed": lambda x: x.T.contiguous().T,
    "strided": lambda x: torch.stack([x, x + 1], 2)[:, :, 0],
    "gradient": lambda x: x.clone().requires_grad_(),
    "result": lambda x: x.clone().requires_grad_() * 1,
}


def forms() -> Iterator[str]:
    """Names of all forms: ``numpy-float16-strided`` and so on."""
    for dtype in TYPES:
        if dtype != "bfloat16":
            yield from (f"numpy-{dtype}-{form}" for form in NUMPY_FORMS)
        yield from (f"torch-{dtype}-{form}" for form in TORCH_FORMS)


def in_form(values: np.ndarray, form: str) -> Any:
    """The numbers in one form."""
    library, dtype, name = form.split("-")
    if library == "numpy":
        return NUMPY_FORMS[name](values.astype(dtype))
    return TORCH_FORMS[name](torch.from_numpy(values.copy()).to(TYPES[dtype]))


def _memory(array: Any) -> bytes:
    """All of the memory behind an array, what a view leaves out included."""
    if isinstance(array, torch.Tensor):
        return bytes(array.detach().untyped_storage())
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.tobytes(order="A")


@contextmanager
def unchanged(*arrays: Any) -> Iterator[None]:
    """Check that some arrays hold the same bits afterwards, and kept no gradient."""
    before = [_memory(array) for array in arrays]
    yield
    assert [_memory(array) for array in arrays] == before, "an input was changed"
    for array in arrays:
        assert not isinstance(array, torch.Tensor) or not array.is_leaf or array.grad is None
