"""Keep the memory of a copy for the next one: fresh memory costs more than the copying."""

from __future__ import annotations

from collections import defaultdict

import torch


class HostMemory:
    """Storages on the host, handed out for one copy of a checkpoint and taken back after it."""

    def __init__(self) -> None:
        self._spare: dict[int, list[torch.UntypedStorage]] = defaultdict(list)
        self._lent: list[torch.UntypedStorage] = []

    def copy(self, storage: torch.UntypedStorage) -> torch.UntypedStorage:
        """Copy a storage of the host to one that nothing else uses until :meth:`take_back`."""
        size = storage.nbytes()
        spare = self._spare[size]
        copy = spare.pop() if spare else torch.UntypedStorage(size)
        self._lent.append(copy)
        return copy.copy_(storage)

    def take_back(self) -> None:
        """Keep what was lent since the last time, and let go of what wasn't needed since."""
        if not self._lent:
            return
        self._spare.clear()
        for storage in self._lent:
            self._spare[storage.nbytes()].append(storage)
        self._lent = []
