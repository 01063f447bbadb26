"""Download weights: at once, or with a message that says where to put them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from mmreid_ext.checkpoint.reachable import PATIENCE, why_unreachable
from mmreid_ext.errors import UserError

SILENCE = 20.0
"""Seconds that a server may send nothing."""


def download(url: str, path: Path, progress: bool = True, patience: float = PATIENCE) -> None:
    """Download a file as a whole or not at all.

    Args:
        url: Its address.
        path: Where to keep it.
        progress: Whether to show a bar.
        patience: Seconds to wait for the server.

    Raises:
        UserError: If it can't be had; the message says where to put it.
    """
    reason = why_unreachable(url, patience)
    try:
        if reason is None:
            with _impatient():
                torch.hub.download_url_to_file(url, str(path), progress=progress)
    except (OSError, RuntimeError) as error:  # URLError; RuntimeError: the hash is another one
        reason = str(getattr(error, "reason", None) or error)
    if reason is not None:
        raise UserError(
            f"Can't download {url} ({reason}).\n"
            f"  Put it at {path},\n"
            "  or name your own file: --init-weights FILE, or the same as a setting, "
            "model.backbone.init_cfg.checkpoint=FILE; load_from=FILE for a whole network,\n"
            "  or train from random weights: --cfg-options model.backbone.init_cfg=None "
            "(own pictures: prepare_folder.py --from-scratch, which trains longer, too)."
        )


@contextmanager
def _impatient() -> Iterator[None]:
    """Let a connection fail whose other end says nothing."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
