"""Export a checkpoint: write the files, compare each with PyTorch, and only then move them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.apis.configuration import ConfigLike
from mmreid_ext.apis.embedder import Embedder, build_embedder
from mmreid_ext.deploy.model_info import ModelInfo
from mmreid_ext.errors import UserError

from .accuracy.labelled_set import LabelledSet
from .accuracy.on_labels import Measured, accuracy_text, measure
from .agreement import Agreement, compare, images_needed, require_unit_vectors
from .deployed_network import DeployedNetwork
from .description import as_text, describe, feature_of, require_size
from .engines import ENGINES, Run, has_engine, open_file
from .graph.int8 import CALIBRATION_IMAGES
from .making import Maker
from .optional import optional
from .plan import ExportPlan
from .quiet import quiet
from .sample_images import count_of, embeddings_of, network_input, sample_images
from .workplace import put_in_place, workplace

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        format: One of :data:`.plan.FORMATS`.
        file: The model file.
        files: All that belong to it, with side-car files.
        agreements: How far each engine is from PyTorch.
        measured: Accuracy by test set: of the float32 file and of this one; empty without one.
    """

    format: str
    file: Path
    files: tuple[Path, ...]
    agreements: tuple[Agreement, ...]
    measured: Mapping[str, Sequence[Measured]]


def export_model(
    config: ConfigLike | None,
    checkpoint: str | os.PathLike,
    plan: ExportPlan,
    *,
    calibration: str | os.PathLike | None = None,
    data: Sequence[LabelledSet] = (),
    say: Say = print,
    progress: Progress | None = None,
    verbose: bool = False,
) -> list[Exported]:
    """Export a checkpoint and compare every file with PyTorch.

    Args:
        config: Its configuration; None: the one that it records.
        checkpoint: File of the weights.
        plan: What to write.
        calibration: Pictures to compare with, and to quantise with; None: drawn people.
        data: Labelled test sets, to measure what a lower precision costs.
        say: Takes lines about what is done.
        progress: Called with the images of a test set that are done, and all.
        verbose: Whether exporters may talk.

    Returns:
        What was written, one per format.

    Raises:
        UserError: If something is missing, or a file differs from PyTorch by too much; then no
            file is kept.
    """
    plan.require_free()
    with quiet(verbose):
        _require_packages(plan)
    embedder = build_embedder(config, checkpoint, torch.device("cpu"))
    require_size(embedder.use)
    for check in plan.checks:
        check(embedder.use["input"])
    description = describe(
        embedder.use, plan, checkpoint, _config_name(config), feature_of(embedder.model)
    )
    _warn_of_unreadable(description, say)
    samples = _Samples(embedder, plan, calibration)
    network = DeployedNetwork(embedder.model, plan.input, embedder.use["input"], plan.outside)
    with workplace(plan) as place, torch.no_grad():
        maker = Maker(plan, place, description, say, verbose)
        maker.make(network, samples.images, samples.to_calibrate(say))
        finisher = _Finisher(maker, samples, data, progress)
        checked = [finisher.check(kind) for kind in plan.formats]
        return finisher.move(checked)


class _Samples:
    """Images to compare with, as the files take them, and their embeddings by PyTorch."""

    def __init__(
        self, embedder: Embedder, plan: ExportPlan, source: str | os.PathLike | None
    ) -> None:
        self.embedder, self.plan, self.source = embedder, plan, source
        inputs = sample_images(embedder, source, images_needed(plan.batch))
        self.expected = embeddings_of(embedder, inputs)
        require_unit_vectors(self.expected)
        self.images = self.as_input(inputs)

    def as_input(self, inputs: Tensor) -> Tensor:
        """Turn loaded images into what the files take."""
        model, use = self.embedder.model, self.embedder.use["input"]
        return network_input(inputs, self.plan.input, model, use, self.plan.outside)

    def to_calibrate(self, say: Say) -> np.ndarray:
        """Return images to quantise with; none for other precisions."""
        if self.plan.precision != "int8":
            return self.images[:0].numpy()
        if self.source is None:
            say(
                "WARNING: int8 is calibrated with drawn people; give a folder of real pictures "
                "as --calibration"
            )
        count = min(CALIBRATION_IMAGES, count_of(self.source) or CALIBRATION_IMAGES)
        count = max(count, self.plan.batch or 1)
        return self.as_input(sample_images(self.embedder, self.source, count)).numpy()


class _Finisher:
    """Compares files with PyTorch and moves them where they belong."""

    def __init__(
        self,
        maker: Maker,
        samples: _Samples,
        data: Sequence[LabelledSet],
        progress: Progress | None,
    ) -> None:
        self.maker, self.samples, self.data, self.progress = maker, samples, data, progress
        self.plan, self.say = maker.plan, maker.say

    def check(self, kind: str) -> Exported:
        """Compare and measure the file of one format.

        Raises:
            UserError: If it differs from PyTorch by too much.
        """
        written, final = self.maker.place.file(kind), self.plan.file(kind)
        agreements = []
        for engine in ENGINES[kind]:
            if not has_engine(engine):
                self.say(f"{final.name}: not compared in {engine}, which isn't installed")
                continue
            agreements.append(self._compare(engine, written))
            self.say(f"{final.name}: {agreements[-1].text}")
        wrong = [found for found in agreements if not found.is_fine]
        if wrong:
            raise UserError(
                f"{final} was not kept: it does not compute what PyTorch does. {wrong[0].text}."
            )
        if any(found.is_doubtful for found in agreements) and not self.data:
            self.say(
                f"WARNING: {final.name} changes embeddings a lot; measure what that costs by --data"
            )
        measured = {one.name: self._measure(kind, written, one) for one in self.data}
        return Exported(kind, final, (), tuple(agreements), measured)

    def _compare(self, engine: str, file: Path) -> Agreement:
        images, expected = self.samples.images.numpy(), self.samples.expected
        run = open_file(engine, file)
        return compare(engine, run, images, expected, self.plan.precision, self.plan.batch)

    def _measure(self, kind: str, written: Path, test_set: LabelledSet) -> list[Measured]:
        """Measure a file on labels; a lower precision beside its float32 model."""
        files: dict[str, Run] = {}
        for engine in filter(has_engine, ENGINES[kind]):
            if self.plan.precision != "fp32":
                files[f"fp32, {engine}"] = open_file(engine, self.maker.base, threads=1)
            name = f"{self.plan.precision}, {engine}"
            files[name] = open_file(engine, written, threads=1)
        measured = measure(
            self.samples.embedder,
            test_set,
            files,
            lambda inputs: self.samples.as_input(inputs).numpy(),
            self.plan.batch,
            self.progress,
        )
        self.say(accuracy_text(test_set, measured))
        return measured

    def move(self, checked: Sequence[Exported]) -> list[Exported]:
        """Put all files in their places."""
        description = self.maker.description
        beside: dict[str, dict[str, bytes]] = {}
        for one in checked:
            text = (as_text(description) + "\n").encode()
            beside[one.format] = {f"{one.file.name}.json": text}
            for sidecar in self.plan.sidecars:
                beside[one.format] |= sidecar(one.file, description)
        files = put_in_place(self.maker.place, self.plan, [*beside], beside)
        return [replace(one, files=tuple(files[one.format])) for one in checked]


def _require_packages(plan: ExportPlan) -> None:
    needed = {"onnx": ["onnx", "onnxruntime"], "openvino": ["onnx", "openvino"], "torchscript": []}
    packages = [package for kind in plan.formats for package in needed[kind]]
    packages += ["nncf"] * (plan.precision == "int8") + ["onnxscript"] * (plan.exporter == "dynamo")
    for package in packages:
        optional(package)


def _warn_of_unreadable(description: Mapping[str, Any], say: Say) -> None:
    """Say so if no reader of ours can follow what the tests do to an image."""
    try:
        ModelInfo.from_record(description, description["model"]["file"])
    except UserError as error:
        say(f"WARNING: mmreid_ext.deploy can't use the files by themselves: {error}")


def _config_name(config: ConfigLike | None) -> str | None:
    return Path(config).name if isinstance(config, (str, os.PathLike)) else None
