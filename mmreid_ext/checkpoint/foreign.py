"""Inert stand-ins for the objects found in checkpoints that MMEngine itself has written."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmreid_ext.shorten import brief

from .plain import PLAIN_KINDS, restore


class ForeignObject(ABC):
    """Something a file may ask for, built from data alone; :meth:`value` is what it stands for."""

    @abstractmethod
    def value(self) -> Any:
        """Return the real object, after checking that the data describe one."""


class ForeignDtype(ForeignObject):
    """``numpy.dtype``: by its code only.

    The real type is not handed out because its state can be set to flags that make NumPy read
    object pointers from the file's bytes.
    """

    def __init__(self, code: str, align: bool = False, copy: bool = True) -> None:
        self.dtype = np.dtype(code)
        if self.dtype.kind not in PLAIN_KINDS:
            raise pickle.UnpicklingError(f"GLOBAL numpy.dtype({brief(code)}) is refused")

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order, the one part of a plain dtype's state that its code leaves open."""
        order = state[1]
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)

    def value(self) -> np.dtype:
        """Return the dtype."""
        return self.dtype


class ForeignArray(ForeignObject):
    """``numpy.ndarray``: shape, dtype and raw bytes."""

    def __new__(cls, *_: Any) -> ForeignArray:
        """Ignore what pickle passes: the state says it all."""
        return super().__new__(cls)

    def __setstate__(self, state: tuple) -> None:
        """Copy the bytes into a fresh array."""
        _, shape, dtype, is_fortran, raw = state
        if not isinstance(dtype, ForeignDtype) or not isinstance(raw, (bytes, bytearray)):
            raise pickle.UnpicklingError("GLOBAL numpy.ndarray of objects is refused")
        flat = np.frombuffer(bytes(raw), dtype=dtype.dtype)
        self.array = flat.reshape(shape, order="F" if is_fortran else "C").copy()

    def value(self) -> np.ndarray:
        """Return the array."""
        return self.array


class ForeignHistoryBuffer(ForeignObject):
    """MMEngine's ``HistoryBuffer``; the methods its state lists are the class's own anyway."""

    def __setstate__(self, state: dict) -> None:
        """Keep the state until :meth:`value`, when the arrays in it are real."""
        self.state = state

    def value(self) -> HistoryBuffer:
        """Return the buffer."""
        buffer = HistoryBuffer(max_length=int(self.state["max_length"]))
        for name in ("_log_history", "_count_history"):
            history = self.state[name]
            history = history.value() if isinstance(history, ForeignArray) else history
            setattr(buffer, name, np.asarray(history))
        return buffer


_STATISTICS = ("min", "max", "current", "mean")


def _getattr(owner: Any, name: str) -> str:
    """``getattr`` for the four methods that a pickled ``HistoryBuffer`` lists, nothing else."""
    if owner is not ForeignHistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError(f"GLOBAL getattr({brief(owner)}, {brief(name)}) is refused")
    return name


def _reconstruct(subtype: Any, shape: tuple, code: bytes) -> ForeignArray:
    if subtype is not ForeignArray:
        raise pickle.UnpicklingError(f"GLOBAL numpy array of type {brief(subtype)} is refused")
    return ForeignArray()


def _scalar(dtype: ForeignDtype, raw: bytes) -> Any:
    if not isinstance(dtype, ForeignDtype) or not isinstance(raw, (bytes, bytearray)):
        raise pickle.UnpicklingError("GLOBAL numpy scalar of an object is refused")
    return np.frombuffer(bytes(raw), dtype=dtype.dtype)[0]


def _config_dict(items: dict) -> ConfigDict:
    if type(items) is not dict:
        raise pickle.UnpicklingError("GLOBAL mmengine ConfigDict of no dictionary is refused")
    return ConfigDict(items)


def _path(*parts: str) -> str:
    return "/".join(parts).replace("//", "/")


def foreign_globals() -> dict[str, Callable]:
    """Return the stand-in of each name that MMEngine's own checkpoints may use."""
    table: dict[str, Callable] = {
        "mmengine.logging.history_buffer.HistoryBuffer": ForeignHistoryBuffer,
        "mmengine.config.config.ConfigDict": _config_dict,
        "builtins.getattr": _getattr,
        "numpy.ndarray": ForeignArray,
        "numpy.dtype": ForeignDtype,
        "pathlib.PosixPath": _path,
    }
    for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2
        table[f"{core}.multiarray._reconstruct"] = _reconstruct
        table[f"{core}.multiarray.scalar"] = _scalar
    return table


def restore_foreign(checkpoint: Any) -> Any:
    """Replace every stand-in of a loaded checkpoint by the object it stands for.

    Args:
        checkpoint: What ``torch.load`` returned; changed in place.

    Returns:
        The restored checkpoint.
    """
    return restore(checkpoint, lambda v: v.value() if isinstance(v, ForeignObject) else v)
