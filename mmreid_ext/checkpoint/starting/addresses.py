"""Find the weights that a configuration starts from before anything is built."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse

import torch
from mmengine.runner import checkpoint as mm_checkpoint

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.suggest import did_you_mean

from .download import download

PATIENCE = 1.0
"""Seconds to wait for a server; one that is there takes tenths of one."""

_ZOOS = {
    "torchvision://": "get_torchvision_models",
    "modelzoo://": "get_torchvision_models",
    "open-mmlab://": "get_external_models",
    "openmmlab://": "get_external_models",
    "mmcls://": "get_mmcls_models",
}
"""Functions of MMEngine that return the addresses behind names, by scheme."""

_COMMANDS = {"mobilenetv2_imagenet.pth": "python tools/get_imagenet_mobilenetv2.py"}
"""What makes a file that our configurations name."""


class Weights(NamedTuple):
    """Weights that a configuration names.

    Attributes:
        setting: Where they are named, ``model.backbone.init_cfg.checkpoint``.
        url: Address to download from; empty for a file.
        path: The file, or where a download is kept.
    """

    setting: str
    url: str
    path: Path


def provide_weights(cfg: Mapping[str, Any], patience: float = PATIENCE) -> None:
    """Download the weights that a training starts from, unless they are there.

    The first process of a machine does it; the others read what it kept.

    Args:
        cfg: The configuration.
        patience: Seconds to wait for a server.

    Raises:
        UserError: If weights are not there and can't be downloaded; where to put them is said.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return
    for weights in missing_weights(cfg):
        if not weights.url:
            command = _COMMANDS.get(weights.path.name)
            how = f"get it by `{command}`" if command else "name one that is there"
            raise MissingFileError(
                f"{weights.setting}={str(weights.path)!r}: no such file; "
                f"{how}{_otherwise(weights.setting)}."
            )
        weights.path.parent.mkdir(parents=True, exist_ok=True)
        download(weights.url, weights.path, patience=patience)


def missing_weights(cfg: Mapping[str, Any]) -> list[Weights]:
    """Return the weights named in a configuration that are not on this machine.

    Raises:
        UserError: If a collection has none of such a name.
    """
    named = [*_named_in(cfg.get("model"), "model")]
    if isinstance(cfg.get("load_from"), str) and not cfg.get("resume"):
        named.append(("load_from", cfg["load_from"]))
    found = [_located(setting, address) for setting, address in named]
    return [weights for weights in found if weights is not None and not weights.path.is_file()]


def _named_in(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield the address of each ``init_cfg=dict(type='Pretrained')``, and where it stands."""
    if isinstance(node, (list, tuple)):
        for number, item in enumerate(node):
            yield from _named_in(item, f"{place}.{number}")
    if not isinstance(node, Mapping):
        return
    kind = node.get("type")
    if getattr(kind, "__name__", kind) in ("Pretrained", "PretrainedInit"):
        if isinstance(node.get("checkpoint"), str):
            yield f"{place}.checkpoint", node["checkpoint"]
        return
    for key, value in node.items():
        yield from _named_in(value, f"{place}.{key}")


def _located(setting: str, address: str) -> Weights | None:
    """Say where weights are, or would be; None where only a trial can tell."""
    for scheme, models in _ZOOS.items():
        if address.startswith(scheme):
            address = _address_of(setting, scheme, address.removeprefix(scheme), models)
    if urlparse(address).scheme in ("http", "https"):
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        return Weights(setting, address, cache / Path(urlparse(address).path).name)
    return None if "://" in address else Weights(setting, "", Path(address).expanduser())


def _address_of(setting: str, scheme: str, name: str, models: str) -> str:
    known = getattr(mm_checkpoint, models)()
    if scheme.startswith("open"):
        name = mm_checkpoint.get_deprecated_model_names().get(name, name)
    if name not in known:
        raise UserError(
            f"{setting}={scheme + name!r}: {scheme} has no {name!r}{did_you_mean(name, known)}."
        )
    address = str(known[name])
    if urlparse(address).scheme in ("http", "https"):
        return address
    return os.path.join(mm_checkpoint._get_mmengine_home(), address)


def _otherwise(setting: str) -> str:
    if setting == "load_from":
        return ""
    return f", or start from random weights by {setting.removesuffix('.checkpoint')}=None"
