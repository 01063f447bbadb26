"""The file beside a model from which BoxMOT learns the size of its images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NEEDS_ONE = (".xml", ".torchscript")


def boxmot_sidecar(file: Path, description: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the side-car of an OpenVINO or TorchScript file; an ONNX file needs none.

    BoxMOT takes the size of an ONNX file from its graph. For the others it assumes 256 x 128 unless
    ``<file>.metadata.json`` says otherwise: OpenVINO then fails, TorchScript is silently wrong.

    Args:
        file: The model file.
        description: What the file says about itself, see :mod:`mmreid_ext.export.description`.

    Returns:
        The content by the name of the file.
    """
    if file.suffix not in _NEEDS_ONE:
        return {}
    size = [description["input"]["height"], description["input"]["width"]]
    content = {
        "schema_version": 1,
        "model_kwargs_schema_version": 1,
        "model_kwargs": {"img_size": size},
    }
    return {f"{file.name}.metadata.json": (json.dumps(content) + "\n").encode()}
