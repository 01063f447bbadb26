"""A group for waits at which one rank may work alone for long: it downloads, clusters or writes.

``env_cfg.dist_cfg.timeout`` bounds the collectives of training. A rank that dies meanwhile ends the
wait: gloo sees its connection close, and the tools watch over all ranks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import torch.distributed as dist

PATIENCE = timedelta(days=1)
"""How long ranks wait for one that works alone."""

_patient: tuple[Any, Any] | None = None


def patient_group() -> Any:
    """Return a gloo group of all ranks that waits for :data:`PATIENCE`; all ranks call it together.

    It is made once for the process group that is running. None where gloo is missing: the default
    group.
    """
    global _patient
    if not dist.is_gloo_available():
        return None
    if _patient is None or _patient[0] is not dist.group.WORLD:
        _patient = (dist.group.WORLD, dist.new_group(backend="gloo", timeout=PATIENCE))
    return _patient[1]
