"""The places in MMEngine where checkpoints are read, written and removed, and what is put there.

Installed by ``mmreid_ext.compat.enable_safe_checkpoints``; nothing else imports this module.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.fileio import LocalBackend

from mmreid_ext.checkpoint.starting.download import download
from mmreid_ext.output_files.atomic import atomic_write

from . import fine_tuning, log_history
from .resume import resuming
from .resume.meta import without_code
from .safe_load import safe_load
from .saving import around_hook
from .saving.stream import plain_checkpoint
from .weights import with_names


def install(mm_checkpoint: Any) -> None:
    """Replace the functions in ``mmengine.runner.checkpoint`` and around it.

    Args:
        mm_checkpoint: That module.
    """
    mm_checkpoint.torch = TorchForCheckpoints()
    mm_checkpoint.load_url = load_url
    LocalBackend.put = _atomic_put
    fine_tuning.install(mm_checkpoint)
    resuming.install()
    around_hook.install()
    log_history.install()


class TorchForCheckpoints:
    """``torch`` as MMEngine's checkpoint module sees it: only ``load`` and ``save`` differ."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(f: Any, map_location: Any = None, **_: Any) -> Any:
        """Load safely whatever else is asked for: a fall-back to full pickle ends here."""
        return with_names(without_code(safe_load(f, map_location)))

    @staticmethod
    def save(obj: Any, f: Any, **kwargs: Any) -> None:
        """Save plain types only."""
        torch.save(plain_checkpoint(obj), f, **kwargs)


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    **_: Any,
) -> Any:
    """Download to PyTorch's cache, as ``torch.hub.load_state_dict_from_url`` does, and load safely.

    Args:
        url: Address of the file.
        model_dir: Folder to keep it in; PyTorch's cache by default.
        map_location: As in ``torch.load``.
        progress: Whether to show a bar.

    Returns:
        The checkpoint.

    Raises:
        UserError: If the file isn't there and can't be downloaded; after a few seconds at most.
    """
    folder = Path(model_dir or os.path.join(torch.hub.get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / os.path.basename(urlparse(url).path)
    if not path.exists():
        download(url, path, progress)
    return with_names(without_code(safe_load(path, map_location)))


def _atomic_put(self: LocalBackend, obj: bytes, filepath: str | Path) -> None:
    Path(filepath).parent.mkdir(parents=True, exist_ok=True)
    atomic_write(filepath, obj)
