"""A checkpoint with one value changed, as damage or a stranger would change it."""

from __future__ import annotations

import torch

from mmreid_ext.checkpoint import safe_load, to_plain


def changed_checkpoint(source, target, *path, value):
    """Write ``source`` to ``target`` with ``value`` at a path of keys; return ``target``."""
    checkpoint = safe_load(source)
    part = checkpoint
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    torch.save(to_plain(checkpoint), target)
    return target
