"""Folders that appear at once and complete, with a manifest of how they were made."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmreid_ext.errors import ExistingFileError

MANIFEST = "manifest.json"


def make_whole(out_dir: Path, settings: dict[str, Any], write: Callable[[Path], None]) -> Path:
    """Let a folder appear with all its files, or not at all.

    Args:
        out_dir: Folder to make; its parents are made too. One that was made with the same settings
            is left as it is.
        settings: Everything that decides what is in it, as JSON knows it.
        write: Called with an empty folder to fill.

    Returns:
        ``out_dir``.

    Raises:
        FileExistsError: If ``out_dir`` holds something else.
    """
    if _is_made(out_dir, settings):
        return out_dir
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        write(partial)
        (partial / MANIFEST).write_text(json.dumps(settings, indent=1) + "\n")
        _move(partial, out_dir, settings)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out_dir


def write_jpeg(path: Path, image: np.ndarray) -> None:
    """Write a picture (H, W, 3), uint8 BGR, as JPEG."""
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    if not ok:
        raise OSError(f"OpenCV cannot encode {path}")
    path.write_bytes(data.tobytes())


def _is_made(out_dir: Path, settings: dict) -> bool:
    """Whether the folder holds this very set; raise if it holds another one."""
    if not out_dir.exists() or (out_dir.is_dir() and not any(out_dir.iterdir())):
        return False
    manifest = out_dir / MANIFEST
    found = json.loads(manifest.read_text()) if manifest.is_file() else None
    if found == settings:
        return True
    holds = f"a synthetic set of other settings, {found}" if found else "something else"
    raise ExistingFileError(f"{out_dir} holds {holds}; name another folder or delete this one.")


def _move(partial: Path, out_dir: Path, settings: dict) -> None:
    """Let the complete folder appear; another process may have been faster."""
    partial.chmod(0o755)
    try:
        if out_dir.is_dir():
            out_dir.rmdir()
        os.rename(partial, out_dir)
    except OSError:
        if not _is_made(out_dir, settings):
            raise
