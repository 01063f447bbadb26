"""Checkpoints made of plain types only: every ``torch.load(weights_only=True)`` reads them."""

from __future__ import annotations

import enum
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.shorten import brief

from .log_history import Dropped, dropped_of, longest_window_of, restore_forgotten

TAG = "__mmreid_ext__"
"""Key that marks a dictionary as the plain form of a richer object; its value names the type."""

PLAIN_KINDS = "biufcSU"
"""NumPy kinds stored as raw bytes: numbers and fixed-width text; no objects, no records."""

_TYPES_OF_DROPPED = [int, float, float, float, float]

_ATOMS = (bool, int, float, complex, str, bytes)
_TORCH_VALUES = (torch.Tensor, torch.Size, torch.dtype, torch.device)


def to_plain(checkpoint: Any) -> Any:
    """Copy a checkpoint into tensors, dictionaries, lists, tuples, sets, numbers and text.

    NumPy arrays and scalars, MMEngine's ``HistoryBuffer`` and ``ConfigDict`` become tagged
    dictionaries that :func:`from_plain` turns back, bit for bit. Tensors are shared, not copied.
    Enums become their value, paths become text, deques become lists, other mappings become
    dictionaries.

    Args:
        checkpoint: What a Runner is about to save.

    Returns:
        The same content in plain types. ``OrderedDict`` attributes (a state dict's ``_metadata``)
        survive.

    Raises:
        TypeError: If something in it has no plain form; the message says where it sits.
    """
    return _encode(checkpoint, "checkpoint", {})


def from_plain(checkpoint: Any) -> Any:
    """Turn the tagged dictionaries of :func:`to_plain` back into the objects they stand for.

    Args:
        checkpoint: A loaded checkpoint. Its dictionaries and lists are changed in place.

    Returns:
        The restored checkpoint.

    Raises:
        ValueError: If a tag is unknown or its content is not what the tag promises.
    """
    return restore(checkpoint, _decode_tagged)


def restore(value: Any, replace: Callable[[Any], Any], seen: dict[int, Any] | None = None) -> Any:
    """Replace, in place, every value in plain containers by ``replace(value)``.

    Args:
        value: Root of the structure.
        replace: Gets each value after its children were done; returns it or its replacement.
        seen: Results by identity, so that shared parts stay shared. Callers leave it out.

    Returns:
        The root or its replacement.
    """
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)][1]
    seen[id(value)] = (value, value)  # holds the value too: a freed object's id can come back
    current = value
    if isinstance(value, dict):
        for key, item in list(value.items()):
            value[key] = restore(item, replace, seen)
    elif type(value) is list:
        value[:] = [restore(item, replace, seen) for item in value]
    elif type(value) is tuple:
        items = tuple(restore(item, replace, seen) for item in value)
        if any(new is not old for new, old in zip(items, value, strict=True)):
            current = items
    current = replace(current)
    seen[id(value)] = (value, current)
    return current


def _encode(value: Any, where: str, memo: dict[int, Any]) -> Any:
    """Return the plain form of ``value``; ``memo`` keeps shared containers shared."""
    if value is None or type(value) in _ATOMS or isinstance(value, _TORCH_VALUES):
        return value
    if id(value) not in memo:
        memo[id(value)] = (value, _encode_new(value, where, memo))
    return memo[id(value)][1]


def _encode_new(value: Any, where: str, memo: dict[int, Any]) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value, where)
    if isinstance(value, enum.Enum):
        return _encode(value.value, where, memo)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, HistoryBuffer):
        return _encode_history(value, where, memo)
    if isinstance(value, Mapping):
        return _encode_mapping(value, where, memo)
    if isinstance(value, (list, tuple, deque)):
        items = [_encode(item, f"{where}[{i}]", memo) for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (set, frozenset)):
        return {_encode(item, where, memo) for item in value}
    atom: Any
    for atom in _ATOMS:  # subclasses, such as a numbered index with attributes
        if isinstance(value, atom):
            return atom(value)
    raise UserTypeError(
        f"{where} is of type {type(value).__module__}.{type(value).__qualname__}, which has no "
        "place in a checkpoint of plain types. Put tensors, NumPy arrays, numbers, text, lists or "
        "dictionaries there (a hook can still change it in before_save_checkpoint)."
    )


def _encode_mapping(value: Mapping, where: str, memo: dict[int, Any]) -> dict:
    ordered = isinstance(value, OrderedDict)
    plain: dict = OrderedDict() if ordered else {}
    for key, item in value.items():
        plain[_encode(key, f"{where} key", memo)] = _encode(item, f"{where}[{key!r}]", memo)
    if isinstance(value, ConfigDict):
        return {TAG: "ConfigDict", "items": plain}
    if ordered:
        vars(plain).update(_encode(vars(value), where, memo))
    return plain


def _encode_history(value: HistoryBuffer, where: str, memo: dict[int, Any]) -> dict:
    logs, counts = value.data
    plain = {
        TAG: "HistoryBuffer",
        "logs": _encode(np.asarray(logs), where, memo),
        "counts": _encode(np.asarray(counts), where, memo),
        "max_length": value.max_length,
    }
    dropped, window = dropped_of(value), longest_window_of(value)
    return plain | ({"dropped": tuple(dropped), "window": window} if dropped.values else {})


def _encode_array(value: np.ndarray | np.generic, where: str) -> dict:
    array = np.asarray(value)
    if array.dtype.kind not in PLAIN_KINDS:
        raise UserTypeError(
            f"{where} is a NumPy array of dtype {array.dtype}; only numbers and fixed-width text "
            "can be stored. Make it a list, or give it a numeric dtype."
        )
    raw = np.frombuffer(array.tobytes(), dtype=np.uint8).copy()
    return {
        TAG: "scalar" if isinstance(value, np.generic) else "ndarray",
        "dtype": array.dtype.str,
        "shape": tuple(array.shape),
        "data": torch.from_numpy(raw),
    }


def _decode_tagged(value: Any) -> Any:
    if not (isinstance(value, dict) and TAG in value):
        return value
    decoder = _DECODERS.get(value[TAG])
    if decoder is None:
        raise UserError(
            f"The checkpoint holds an object tagged {brief(value[TAG])}; this mmreid_ext knows "
            f"{sorted(_DECODERS)}. It was probably saved by a newer version: upgrade mmreid_ext."
        )
    return decoder(value)


def _decode_array(value: dict) -> np.ndarray:
    dtype = np.dtype(value["dtype"])
    if dtype.kind not in PLAIN_KINDS:
        raise UserError(f"The checkpoint holds an array of dtype {dtype}, which is refused.")
    raw = value["data"].cpu().numpy().tobytes()
    return np.frombuffer(raw, dtype=dtype).reshape(value["shape"]).copy()


def _decode_history(value: dict) -> HistoryBuffer:
    buffer = HistoryBuffer(max_length=value["max_length"])
    buffer._log_history = value["logs"]  # the constructor would turn an empty array's dtype
    buffer._count_history = value["counts"]
    if "dropped" in value:
        dropped, window = value["dropped"], value.get("window", 0)
        whole = type(dropped) is tuple and list(map(type, dropped)) == _TYPES_OF_DROPPED
        if not whole or dropped[0] < 0 or type(window) is not int or window < 0:
            raise UserError(
                f"The checkpoint holds a history of values whose sums are {brief(dropped)}: it is "
                "damaged, or no run wrote it."
            )
        restore_forgotten(buffer, Dropped(*dropped), window)
    return buffer


_DECODERS: dict[str, Callable[[dict], Any]] = {
    "ndarray": _decode_array,
    "scalar": lambda value: _decode_array(value)[()],
    "HistoryBuffer": _decode_history,
    "ConfigDict": lambda value: ConfigDict(value["items"]),
}
