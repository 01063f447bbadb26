"""Whether a configuration uses a checkpoint as it was trained, by what the checkpoint recorded.

The same weights with another mean give embeddings at a cosine of -0.70 to the right ones, with
another colour order 0.91, with another size 0.99, and nothing else would say so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mmreid_ext.checkpoint.meta import read_meta
from mmreid_ext.errors import UserError

from .deployment_info import FORMAT, KEY, deployment_info

_MUST_AGREE = ("input.mean", "input.std", "input.channel_order")


def test_pipeline(cfg: Mapping[str, Any]) -> list[dict]:
    """Transforms of the test images, else of the validation images; empty without either."""
    for name in ("test_dataloader", "val_dataloader"):
        dataset = (cfg.get(name) or {}).get("dataset") or {}
        if dataset.get("pipeline"):
            return list(dataset["pipeline"])
    return []


def check_usage(model: nn.Module, cfg: Mapping[str, Any], checkpoint: str | os.PathLike) -> None:
    """Compare a configuration with what a checkpoint file recorded; see :func:`compare_usage`."""
    compare_usage(model, cfg, {"meta": read_meta(checkpoint)}, checkpoint, trains=False)


def compare_usage(
    model: nn.Module,
    cfg: Mapping[str, Any],
    checkpoint: Mapping[str, Any],
    source: str | os.PathLike,
    trains: bool,
) -> None:
    """Stop or warn where a configuration contradicts what a checkpoint recorded.

    Checkpoints that record nothing, those of other packages, are taken as they are.

    Args:
        model: The model of the configuration.
        cfg: The configuration.
        checkpoint: Content of the checkpoint; only ``meta`` is read.
        source: Its name, for messages.
        trains: Whether the model will be trained on: then everything is a warning.

    Raises:
        UserError: If mean, standard deviation or colour order differ, unless ``trains``.
    """
    meta = checkpoint.get("meta")
    recorded = meta.get(KEY) if isinstance(meta, Mapping) else None
    if not isinstance(recorded, Mapping) or recorded.get("format") != FORMAT:
        return
    network = cfg.get("model")
    given = deployment_info(
        getattr(model, "module", model),
        test_pipeline(cfg),
        network if isinstance(network, Mapping) else None,
    )
    differences = _differences(recorded, given)
    wrong = {name: pair for name, pair in differences.items() if name in _MUST_AGREE}
    if wrong and not trains:
        raise UserError(
            f"{source} was trained with another input than the configuration gives: "
            f"{_described(wrong)}. Its embeddings would be wrong. Use the configuration of the "
            "training, or set model.data_preprocessor (mean, std, to_rgb) as recorded."
        )
    if differences:
        print_log(
            f"{source} was trained with other settings than the configuration has: "
            f"{_described(differences)}. Embeddings differ from those of its training.",
            logger="current",
            level=logging.WARNING,
        )


def _differences(recorded: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, tuple]:
    """Recorded and given value of what differs, by its path."""
    found: dict[str, tuple] = {}
    for name in ("mean", "std", "channel_order", "steps"):
        pair = tuple((side.get("input") or {}).get(name) for side in (recorded, given))
        # Without pipeline or preprocessor there is nothing to compare.
        if pair[0] != pair[1] and all(value not in (None, []) for value in pair):
            found[f"input.{name}"] = pair
    if recorded.get("embedding", {}).get("size") != given["embedding"]["size"]:
        found["embedding.size"] = recorded["embedding"].get("size"), given["embedding"]["size"]
    networks = recorded.get("network") or {}, given["network"]
    if all(networks):
        for name in sorted(networks[0].keys() | networks[1].keys()):
            pair = networks[0].get(name), networks[1].get(name)
            if pair[0] != pair[1]:
                found[f"model.{name}"] = pair
    return found


def _described(differences: Mapping[str, tuple]) -> str:
    return "; ".join(f"{name} {a!r}, now {b!r}" for name, (a, b) in differences.items())
