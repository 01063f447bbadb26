"""Say what a value of a checkpoint must be, and refuse one that is something else.

A checkpoint is a file, perhaps a stranger's. MMEngine turns values of it into paths, loop bounds
and attributes without a look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief

_LARGEST = 2**63
"""Whole numbers of a file lie below: what PyTorch and NumPy can hold."""

_MOST_VALUES = 2_000_000
"""Values in one entry, a shared one counted each time: nothing that copies it takes minutes."""

_DEEPEST = 30

_ATOMS = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, torch.Tensor)
_TORCH_NAMES = (torch.Size, torch.dtype, torch.device, HistoryBuffer)


class Kind(NamedTuple):
    """What a value must be.

    Attributes:
        words: The same for a message.
        admits: Whether a value is one.
    """

    words: str
    admits: Callable[[Any], bool]


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether a value is an integer of that size; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return False
    return least <= int(value) < _LARGEST


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a tensor of one."""
    if isinstance(value, torch.Tensor):
        return value.numel() == 1
    if isinstance(value, int):
        return not isinstance(value, bool) and -_LARGEST <= value < _LARGEST
    return isinstance(value, (float, np.integer, np.floating))


def is_text(value: Any) -> bool:
    """Whether a value is text."""
    return isinstance(value, str)


def is_small(value: Any) -> bool:
    """Whether a value is plain data that is neither deep nor, written out, endless."""
    waiting, seen = [(value, 0)], 0
    while waiting:
        current, depth = waiting.pop()
        seen += 1
        if seen > _MOST_VALUES or depth > _DEEPEST:
            return False
        inner: Any = ()
        if isinstance(current, Mapping):
            inner = [*current.keys(), *current.values()]
        elif isinstance(current, (list, tuple, set, frozenset)):
            inner = current
        elif current is not None and not isinstance(current, (*_ATOMS, *_TORCH_NAMES)):
            return False
        if seen + len(waiting) + len(inner) > _MOST_VALUES:
            return False
        waiting += [(item, depth + 1) for item in inner]
    return True


def is_mapping(value: Any) -> bool:
    """Whether a value is a dictionary whose keys are text."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_list(admits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(map(admits, value))


WHOLE = Kind("a whole number from 0 on", is_whole)
STEP = Kind("a whole number from -1 on", lambda value: is_whole(value, -1))
NUMBER = Kind("a number", is_number)
NUMBERS = Kind("a list of numbers", _is_list(is_number))
WHOLES = Kind("a list of whole numbers from 0 on", _is_list(is_whole))
TEXT = Kind("text", is_text)
TEXTS = Kind("a list of text", _is_list(is_text))
TRUTH = Kind("True or False", lambda value: isinstance(value, bool))
PARTS = Kind("a dictionary with names as keys", is_mapping)
SMALL = Kind("plain data, neither deep nor endless", is_small)


def require(filename: str, name: str, value: Any, kind: Kind) -> None:
    """Raise unless a value is of a kind.

    Args:
        filename: The checkpoint.
        name: Where the value is in it.
        value: The value.
        kind: What it must be.

    Raises:
        UserError: Names file, entry and value.
    """
    if not kind.admits(value):
        raise UserError(
            f"resume: {filename}: {name}={brief(value)}, must be {kind.words}; the file is damaged "
            "or no run wrote it: resume from another checkpoint of the run."
        )
