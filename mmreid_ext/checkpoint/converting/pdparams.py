"""Read Paddle's ``.pdparams`` without Paddle, and without executing anything.

The file is a pickle of protocol 2, 3 or 4: a dictionary of NumPy arrays by name. Beside them stand
a table of Paddle's internal names, which is passed over, and in files of protocol 2 and 3 a table
of the arrays of 1 GiB and more that were cut into parts. Where the dictionary was saved with
anything but tensors, an array is stored as ``(name, array)``.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.checkpoint.foreign import ForeignArray, foreign_globals, restore_foreign
from mmreid_ext.checkpoint.limits.declared_sizes import MOST_TIMES, ROOM
from mmreid_ext.checkpoint.safe_load import (
    SIGNS_OF_GARBAGE,
    RestrictedUnpickler,
    UnsafeCheckpointError,
    encode_text,
)
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief, one_line

SUFFIX = ".pdparams"
_INTERNAL_NAMES = "StructuredToParameterName@@"
_PARTS = "UnpackBigParamInfor@@"


def is_pdparams(path: Path) -> bool:
    """Whether a file is Paddle's, by its suffix."""
    return path.suffix == SUFFIX


def read_pdparams(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read weights by name, under Paddle's names and in Paddle's shapes.

    Arrays of 16-bit unsigned integers are bfloat16, which NumPy doesn't know.

    Args:
        path: The file.

    Raises:
        UnsafeCheckpointError: If the file names a type or function that no array needs.
        UserError: If it is damaged, holds no weights, or declares more than it holds.
    """
    content = _unpickled(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__}, must be weights by name.")
    parts = content.pop(_PARTS, {})
    content.pop(_INTERNAL_NAMES, None)
    arrays = {name: found for name, v in content.items() if (found := _array_of(v)) is not None}
    if not arrays or not all(isinstance(name, str) for name in arrays):
        raise UserError(f"{path} holds no weights by name; give the .pdparams of a training.")
    return {name: _tensor(array) for name, array in _joined(arrays, parts, path).items()}


def _unpickled(path: str | os.PathLike) -> Any:
    try:
        with open(path, "rb") as file:
            return restore_foreign(PaddleUnpickler(file, os.path.getsize(path)).load())
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(
            f"{path} was refused: {one_line(error, 200)}. A file of Paddle holds arrays and "
            "names; if you trust its author, save it again where it was made: "
            "paddle.save(net.state_dict(), path)."
        ) from None
    except UserError:
        raise
    except SIGNS_OF_GARBAGE as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise UserError(f"{path} is damaged or no file of Paddle ({reason}).") from error


def _tuple(items: Any) -> tuple:
    """How a tuple of a subclass is stored."""
    if not isinstance(items, (list, tuple)):
        raise pickle.UnpicklingError(f"GLOBAL tuple of {brief(items)} is refused")
    return tuple(items)


class PaddleUnpickler(RestrictedUnpickler):
    """Unpickler that finds what NumPy arrays and tuples need, and nothing else.

    Args:
        file: The file.
        size: Its bytes. All arrays together may hold a small multiple of them: the bytes of one
            can be named as those of a thousand.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(RestrictedUnpickler.dispatch)

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__(file)
        self._room = MOST_TIMES * size + ROOM

    def find_global(self, full_name: str) -> Any:
        """Return the stand-in of that name; None if it isn't listed."""
        table = {name: one for name, one in foreign_globals().items() if name.startswith("numpy")}
        return {**table, "builtins.tuple": _tuple, "_codecs.encode": encode_text}.get(full_name)

    def load_build(self) -> None:
        """Set an object's state, and count the bytes of arrays."""
        super().load_build()
        built = self.stack[-1]
        if isinstance(built, ForeignArray):
            self._room -= built.array.nbytes
            if self._room < 0:
                raise UserError(
                    "The file was refused: its arrays would take many times its own bytes. It is "
                    "damaged, or made to fill the memory."
                )

    dispatch[pickle.BUILD[0]] = load_build

    def refuse_bytearray(self) -> None:
        """Refuse what allocates as many bytes as a file says."""
        raise pickle.UnpicklingError("it holds a bytearray, which no file of Paddle does")

    dispatch[pickle.BYTEARRAY8[0]] = refuse_bytearray


def _array_of(value: Any) -> np.ndarray | None:
    """The array of an entry: alone, or behind its internal name."""
    if isinstance(value, tuple) and len(value) == 2:
        value = value[1]
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" else None


def _joined(
    arrays: dict[str, np.ndarray], table: Any, path: str | os.PathLike
) -> dict[str, np.ndarray]:
    """Put the parts of large arrays together, in the place of the parts."""
    if not isinstance(table, Mapping):
        raise UserError(f"{path} is damaged: its table of parts is no dictionary.")
    for name, entry in table.items():
        try:
            parts = [arrays.pop(part) for part in entry["slices"]]
            arrays[name] = np.concatenate(parts).reshape(entry["OriginShape"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{path} is damaged: {one_line(name)} was cut into parts that don't fit together "
                f"({one_line(error)})."
            ) from error
    return arrays


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype == np.uint16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.ascontiguousarray(array))
