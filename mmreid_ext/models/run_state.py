"""Keep what a module carries from step to step of one training run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import nn


class RunState(nn.Module):
    """A module whose state belongs to one run, or to one numbering of the identities.

    Three rules come with it:

    * **Held, it remembers nothing.** Inside :func:`hold_run_state` it computes and writes nothing;
      ask :attr:`remembers` before you write. The meta passes of MetaBIN are no steps of their own.
    * **Counters are buffers.** :meth:`add_counters` registers them, with a copy for the host, which
      would otherwise wait for the device. Load and save keep the two equal.
    * **``load_from`` leaves it at its start.** A resumed run loads everything; see
      :mod:`mmreid_ext.checkpoint.fine_tuning`.

    Attributes:
        run_state: Names of parameters and buffers that only a resumed run loads: memories, counts.
        identity_state: Names that hold one entry per identity; ``load_from`` takes them over where
            the head says ``same_identities=True``.
        held: Whether the module is inside :func:`hold_run_state`.
    """

    run_state: ClassVar[tuple[str, ...]] = ()
    identity_state: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.held = False
        self._counters: tuple[str, ...] = ()

    @property
    def remembers(self) -> bool:
        """Whether a forward pass counts as a step."""
        return self.training and not self.held

    def add_counters(self, *names: str) -> None:
        """Register 0-d int64 buffers that start at 0; the host's copy of ``steps`` is ``_steps``.

        A subclass annotates both (``steps: Tensor``, ``_steps: int``).
        """
        self._counters = names
        for name in names:
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))
            setattr(self, f"_{name}", 0)

    def write_counters(self) -> None:
        """Copy the host's counts into the buffers."""
        for name in self._counters:
            getattr(self, name).fill_(getattr(self, f"_{name}"))

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        for name in self._counters:
            setattr(self, f"_{name}", int(getattr(self, name)))


@contextmanager
def hold_run_state(model: nn.Module) -> Iterator[None]:
    """Let no :class:`RunState` of ``model`` count or store anything inside the block."""
    modules = [m for m in model.modules() if isinstance(m, RunState) and not m.held]
    for module in modules:
        module.held = True
    try:
        yield
    finally:
        for module in modules:
            module.held = False
