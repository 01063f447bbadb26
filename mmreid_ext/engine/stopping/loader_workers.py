"""Keep the processes that load images alive when a signal asks the whole group to stop.

``timeout``, Slurm and terminals send a signal to every process of a run. A loader's process would
die of it, and the training with it, before there is a checkpoint. It ends with the training anyway.
"""

from __future__ import annotations

import mmap
import os
import signal
from multiprocessing.util import Finalize
from types import FrameType

from torch.utils.data._utils import signal_handling

from mmreid_ext.stopping.request import StopRequest

_shared = mmap.mmap(-1, 1)  # with processes that are forked later: whether this one is ending


def spare_loader_workers() -> None:
    """Let processes of loaders that are forked from now on ignore requests to stop.

    They do so if a :class:`~mmreid_ext.stopping.request.StopRequest` listens when they start, and
    until this process ends. A second call does nothing.
    """
    original = getattr(signal_handling, "_set_worker_signal_handlers", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    def set_handlers() -> None:
        listens = isinstance(
            getattr(signal.getsignal(signal.SIGTERM), "__self__", None), StopRequest
        )
        original()
        if listens:
            _ignore_while_parent_lives(os.getppid())

    set_handlers.__wrapped__ = original  # type: ignore[attr-defined]
    signal_handling._set_worker_signal_handlers = set_handlers
    # Before Python terminates its processes, in a process of multiprocessing, too (atexit isn't).
    Finalize(None, _shared.__setitem__, args=(0, 1), exitpriority=100)


def _ignore_while_parent_lives(parent: int) -> None:
    def end_with_parent(number: int, frame: FrameType | None) -> None:
        if _shared[0] or os.getppid() != parent:
            os._exit(0)  # as PyTorch's own handler: a death by signal would be an error to report

    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, end_with_parent)
