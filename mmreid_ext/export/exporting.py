"""Export a checkpoint: write the files, compare each with PyTorch, and only then move them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.apis.configuration import ConfigLike
from mmreid_ext.apis.embedder import Embedder, build_embedder
from mmreid_ext.checkpoint.atomic import atomic_write
from mmreid_ext.errors import UserError

from .agreement import Agreement, compare, images_needed
from .deployed_network import DeployedNetwork
from .description import as_text, describe, feature_of, require_size
from .engines import ENGINES, has_engine, open_file
from .optional import optional
from .plan import ExportPlan
from .quiet import quiet
from .sample_images import embeddings_of, network_input, sample_images
from .writers import describe_onnx, write_onnx, write_openvino, write_torchscript

Say = Callable[[str], None]


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        format: One of :data:`.plan.FORMATS`.
        file: The model file.
        files: All that belong to it, with side-car files.
        agreements: How far each engine is from PyTorch.
    """

    format: str
    file: Path
    files: tuple[Path, ...]
    agreements: tuple[Agreement, ...]


def export_model(
    config: ConfigLike | None,
    checkpoint: str | os.PathLike,
    plan: ExportPlan,
    *,
    calibration: str | os.PathLike | None = None,
    say: Say = print,
    verbose: bool = False,
) -> list[Exported]:
    """Export a checkpoint and compare every file with PyTorch.

    Args:
        config: Its configuration; None: the one that it records.
        checkpoint: File of the weights.
        plan: What to write.
        calibration: Pictures to compare with; None: drawn people.
        say: Takes lines about what is done.
        verbose: Whether exporters may talk.

    Returns:
        What was written, one per format.

    Raises:
        UserError: If something is missing, or a file differs from PyTorch by too much; that file
            is not kept.
    """
    plan.require_free()
    _require_packages(plan)
    embedder = build_embedder(config, checkpoint, torch.device("cpu"))
    require_size(embedder.use)
    for check in plan.checks:
        check(embedder.use["input"])
    description = describe(
        embedder.use, plan, checkpoint, _config_name(config), feature_of(embedder.model)
    )
    inputs = sample_images(embedder, calibration, images_needed(plan.batch))
    expected = embeddings_of(embedder, inputs)
    use = embedder.use["input"]
    images = network_input(inputs, plan.input, embedder.model, use, plan.outside)
    plan.folder.mkdir(parents=True, exist_ok=True)
    with _workplace(plan) as place, torch.no_grad():
        _write(plan, embedder, images, description, place, say, verbose)
        return [
            _finish(plan, kind, place, description, images.numpy(), expected, say)
            for kind in plan.formats
        ]


def _require_packages(plan: ExportPlan) -> None:
    needed = {"onnx": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino"), "torchscript": ()}
    for kind in plan.formats:
        for package in needed[kind]:
            optional(package)


def _config_name(config: ConfigLike | None) -> str | None:
    return Path(config).name if isinstance(config, (str, os.PathLike)) else None


@contextmanager
def _workplace(plan: ExportPlan) -> Iterator[ExportPlan]:
    """Make a hidden folder beside the final place, and yield the plan of writing there."""
    folder = Path(tempfile.mkdtemp(prefix=".export-", dir=plan.folder))
    try:
        yield ExportPlan(folder, plan.formats, name=plan.stem)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(
    plan: ExportPlan,
    embedder: Embedder,
    images: Tensor,
    description: Mapping[str, Any],
    place: ExportPlan,
    say: Say,
    verbose: bool,
) -> None:
    """Write the files of all formats into a folder of their own."""
    network = DeployedNetwork(embedder.model, plan.input, embedder.use["input"], plan.outside)
    example = images[: plan.batch or 2]
    onnx_file = place.file("onnx")
    if "onnx" in plan.formats or "openvino" in plan.formats:
        say(f"tracing the network for ONNX ({plan.exporter})")
        with quiet(verbose):
            write_onnx(network, example, onnx_file, plan.exporter, plan.batch)
            describe_onnx(onnx_file, description)
    if "openvino" in plan.formats:
        say("converting to OpenVINO")
        model = optional("openvino").Core().read_model(str(onnx_file))
        write_openvino(model, place.file("openvino"), description, plan.precision == "fp16")
    if "torchscript" in plan.formats:
        say("tracing the network for TorchScript")
        with quiet(verbose):
            write_torchscript(network, example, place.file("torchscript"), description)


def _finish(
    plan: ExportPlan,
    kind: str,
    place: ExportPlan,
    description: Mapping[str, Any],
    images: np.ndarray,
    expected: np.ndarray,
    say: Say,
) -> Exported:
    """Compare a file with PyTorch and move it where it belongs."""
    written, final = place.file(kind), plan.file(kind)
    agreements = []
    for engine in ENGINES[kind]:
        if not has_engine(engine):
            say(f"{final.name}: not compared in {engine}, which isn't installed")
            continue
        run = open_file(engine, written)
        found = compare(engine, run, images, expected, plan.precision, plan.batch)
        say(f"{final.name}: {found.text}")
        agreements.append(found)
    wrong = [found for found in agreements if not found.is_fine]
    if wrong:
        raise UserError(
            f"{final} was not kept: it does not compute what PyTorch does. {wrong[0].text}."
        )
    beside: dict[str, bytes] = {f"{final.name}.json": _json(description)}
    for sidecar in plan.sidecars:
        beside |= sidecar(final, description)
    files = [final]
    if kind == "openvino":
        files.insert(0, final.with_suffix(".bin"))  # the .xml is nothing without it
    for file in files:
        os.replace(place.folder / file.name, file)
    for name, content in beside.items():
        atomic_write(plan.folder / name, content)
    return Exported(
        kind, final, (*files, *(plan.folder / name for name in beside)), tuple(agreements)
    )


def _json(description: Mapping[str, Any]) -> bytes:
    return (as_text(description) + "\n").encode()
