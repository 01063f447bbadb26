"""Copy a checkpoint, so that training can go on while it is written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import torch

from .host_memory import HostMemory


def snapshot(
    plain: Any, fresh: Iterable[torch.Tensor] = (), memory: HostMemory | None = None
) -> Any:
    """Copy a checkpoint of plain types to host memory.

    Args:
        plain: See :func:`~.stream.plain_checkpoint`. Its tensors may be those of the running
            training, on any device.
        fresh: Tensors in it that are copies already.
        memory: Where copies go. Defaults to fresh memory.

    Returns:
        The same content, bit for bit, that shares no memory with it. Tensors that shared memory
        with one another on the host still do, as in a file.
    """
    return _Copier(fresh, memory or HostMemory()).copied(plain)


def noting(to_host: Callable[[Any], Any], fresh: list[torch.Tensor]) -> Callable[[Any], Any]:
    """Let a function that brings a tensor to the host note its results that are copies."""

    def to_host_and_note(tensor: Any) -> Any:
        result = to_host(tensor)
        device = getattr(tensor, "device", None)
        if device is not None and device.type != "cpu" and isinstance(result, torch.Tensor):
            fresh.append(result)
        return result

    return to_host_and_note


class _Copier:
    """Copies what is in containers; what is shared in them is copied once."""

    def __init__(self, fresh: Iterable[torch.Tensor], memory: HostMemory) -> None:
        self.memory = memory
        self.fresh = {tensor.untyped_storage().data_ptr() for tensor in fresh}
        self.containers: dict[int, Any] = {}
        self.storages: dict[tuple[int, int], torch.UntypedStorage] = {}

    def copied(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self._tensor(value.detach())
        if not isinstance(value, (dict, list, tuple)):
            return value
        if id(value) not in self.containers:
            self.containers[id(value)] = (value, self._container(value))
        return self.containers[id(value)][1]

    def _tensor(self, value: torch.Tensor) -> torch.Tensor:
        if value.device.type != "cpu":
            return value.cpu()
        storage = value.untyped_storage()
        place = storage.data_ptr(), storage.nbytes()
        if place[0] in self.fresh or not storage.nbytes():
            return value
        if place not in self.storages:
            self.storages[place] = self.memory.copy(storage)
        empty = torch.empty(0, dtype=value.dtype, device="cpu")
        return empty.set_(
            self.storages[place], value.storage_offset(), value.size(), value.stride()
        )

    def _container(self, value: Any) -> Any:
        if isinstance(value, dict):
            found = type(value)()
            for key, item in value.items():
                found[key] = self.copied(item)
            if isinstance(value, OrderedDict):
                vars(found).update(self.copied(vars(value)))
            return found
        items = [self.copied(item) for item in value]
        return items if isinstance(value, list) else type(value)(items)
