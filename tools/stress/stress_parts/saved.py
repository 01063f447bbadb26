"""Which checkpoints a folder holds, and which it must hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmreid_ext.checkpoint.integrity import verify
from mmreid_ext.errors import UserError


def saved(work_dir: Path) -> list[int]:
    """Return the iterations of the checkpoints that a run can go on from, good or not."""
    return [int(path.stem.removeprefix("iter_")) for path in work_dir.glob("iter_*.pth")]


def good(work_dir: Path) -> list[int]:
    """Return the iterations of those without damage."""
    return [number for number in saved(work_dir) if _is_good(work_dir / f"iter_{number}.pth")]


def _is_good(path: Path) -> bool:
    try:
        verify(path)
    except (UserError, OSError):
        return False
    return True


def due_after(iteration: int, save_every: int, checkpoint: Mapping[str, Any]) -> int:
    """Return the iteration whose checkpoint must be on disk when an iteration is over.

    Args:
        iteration: Finished iterations.
        save_every: Iterations between two checkpoints.
        checkpoint: Other settings of the hook. One that writes in the background may be at its last
            checkpoint still, never at the one before.
    """
    last = iteration - iteration % save_every
    return max(last - save_every, 0) if checkpoint.get("background") else last
