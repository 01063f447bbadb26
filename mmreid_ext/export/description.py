"""Describe an exported file: what goes in, what comes out, of which checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mmreid_ext.checkpoint.usage.record import recorded
from mmreid_ext.checkpoint.weights import read_checkpoint
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.report import describe_checkpoint
from mmreid_ext.json_values import plain_json
from mmreid_ext.verdicts.thresholds import threshold_entries
from mmreid_ext.version import __version__

from .plan import ExportPlan

KEY = "mmreid_ext"
"""Name of the description inside a file."""

FORMAT = 1


def describe(
    use: Mapping[str, Any],
    plan: ExportPlan,
    checkpoint: str | os.PathLike,
    config: str | None = None,
    feature: str = "",
) -> dict[str, Any]:
    """Describe an exported file, as :mod:`mmreid_ext.deploy.model_info` reads it.

    Args:
        use: ``embedding`` and ``input``, see :mod:`mmreid_ext.checkpoint.usage`.
        plan: What is exported.
        checkpoint: File of the weights.
        config: Name of the configuration that was given beside it.
        feature: Which feature of the network the embedding is, in words.

    Raises:
        UserError: If the images have no common size.
    """
    size = require_size(use)
    found = describe_checkpoint(checkpoint)
    model = {
        "file": found["file"],
        "weights": found.get("weights") or found["sha256"],
        "sha256": found["sha256"],
        "config": config,
    }
    stated = plan.stated(use["input"])
    image = {key: stated[key] for key in ("channel_order", "mean", "std", "steps")}
    return plain_json(
        {
            "format": FORMAT,
            "input": {"kind": plan.input, "height": size[0], "width": size[1], **image},
            "embedding": {**use["embedding"], "feature": feature},
            "precision": plan.precision,
            "model": model,
            "thresholds": list(threshold_entries(recorded(read_checkpoint(checkpoint)) or {})),
            "version": __version__,
        }
    )


def require_size(use: Mapping[str, Any]) -> tuple[int, int]:
    """Return height and width of the images.

    Raises:
        UserError: If they keep their own.
    """
    height, width = use["input"]["height"], use["input"]["width"]
    if height is None or width is None:
        raise UserError(
            "export: the images of this model have no common size, and a file has a fixed one; "
            "end the pipeline of its test images by Resize or CenterCrop, and give that "
            "configuration beside the checkpoint."
        )
    return int(height), int(width)


def as_text(description: Mapping[str, Any]) -> str:
    """Write a description as one line of JSON."""
    return json.dumps(description, allow_nan=False)


def feature_of(model: Any) -> str:
    """Say in words which feature of a network its embedding is."""
    chosen = getattr(model.head, "test_feature", None)
    words = {"embeddings": "after the batch-norm neck", "feats": "before the batch-norm neck"}
    if chosen in words:
        return f"{type(model.head).__name__}: {words[chosen]}"
    return f"{type(model.head).__name__}: its embedding"
