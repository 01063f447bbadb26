"""Name the stage of a network that a layer belongs to."""

from __future__ import annotations


def stage_of(name: str) -> str:
    """Stage of a layer by its name in the model: ``layer2`` for ``backbone.layer2.0.bn1``."""
    parts = name.split(".")
    stage = parts[1] if parts[0] == "backbone" and len(parts) > 1 else parts[0]
    return "stem" if stage.startswith(("bn", "conv1", "stem")) else stage
