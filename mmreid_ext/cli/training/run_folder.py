"""Keep two runs out of one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.errors import UserError

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config


def check_run_folder(cfg: Config) -> None:
    """Refuse to start a run where another one has left checkpoints.

    The second run would overwrite the first one's checkpoints as it reaches their iterations, and
    a later ``--resume`` would find those of both.

    Args:
        cfg: The configuration, with ``work_dir`` and ``resume``.

    Raises:
        UserError: If the folder has checkpoints and the run doesn't resume.
    """
    folder = Path(cfg.work_dir)
    if cfg.get("resume") or not _has_checkpoints(folder):
        return
    raise UserError(
        f"{folder} has checkpoints of an earlier run, which are not overwritten: continue that run "
        f"with --resume, or start another one with --work-dir {_free_name(folder)}."
    )


def _has_checkpoints(folder: Path) -> bool:
    return (folder / "last_checkpoint").is_file() or any(folder.glob("*.pth"))


def _free_name(folder: Path) -> Path:
    """Return the first of ``NAME_2``, ``NAME_3``, ... without checkpoints."""
    number = 2
    while _has_checkpoints(other := folder.with_name(f"{folder.name}_{number}")):
        number += 1
    return other
