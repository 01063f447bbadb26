"""Know the weights of a checkpoint again, whatever else the file says about them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from mmreid_ext.errors import UserError

from .safe_load import safe_load


def weights_fingerprint(path: str | os.PathLike) -> str | None:
    """Return the SHA-256 of the names, types, shapes and values of a checkpoint's weights.

    Args:
        path: The file; nothing in it is executed.

    Returns:
        Hexadecimal digits; None if the file holds no weights.
    """
    try:
        loaded = safe_load(path, map_location="cpu")
    except UserError:
        return None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else {}
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    return sha256_of(_content(tensors)) if tensors else None


def file_sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with open(path, "rb") as file:
        return sha256_of(iter(lambda: file.read(1 << 20), b""))


def sha256_of(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of parts, one after another, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _content(tensors: Mapping[str, Tensor]) -> Iterator[bytes]:
    for name in sorted(tensors):
        values = tensors[name].detach().contiguous()
        yield f"{name} {values.dtype} {tuple(values.shape)}\n".encode()
        yield values.flatten().view(torch.uint8).numpy().tobytes()
