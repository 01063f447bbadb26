"""Copy a checkpoint, so that training can go on while it is written."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import torch


def snapshot(plain: Any) -> Any:
    """Copy a checkpoint of plain types to host memory.

    Args:
        plain: See :func:`~.stream.plain_checkpoint`. Its tensors may be those of the running
            training, on any device.

    Returns:
        The same content, bit for bit, that shares no memory with it. Tensors that shared memory
        with one another on the host still do, as in a file.
    """
    return _copied(plain, {}, {})


def _copied(value: Any, memo: dict[int, Any], storages: dict) -> Any:
    if isinstance(value, torch.Tensor):
        if value.device.type != "cpu":
            return value.detach().cpu()
        return copy.deepcopy(value.detach(), storages)
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) not in memo:
        memo[id(value)] = (value, _copied_container(value, memo, storages))
    return memo[id(value)][1]


def _copied_container(value: Any, memo: dict[int, Any], storages: dict) -> Any:
    if isinstance(value, dict):
        found = type(value)()
        for key, item in value.items():
            found[key] = _copied(item, memo, storages)
        if isinstance(value, OrderedDict):
            vars(found).update(_copied(vars(value), memo, storages))
        return found
    items = [_copied(item, memo, storages) for item in value]
    return items if isinstance(value, list) else type(value)(items)
