"""Make the model files of a plan, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from .graph.half_weights import halve_weights
from .graph.int8 import quantize
from .graph.tensorrt import obstacles
from .optional import optional
from .plan import ExportPlan
from .quiet import quiet
from .writers import describe_onnx, write_onnx, write_openvino, write_torchscript

Say = Callable[[str], None]

FP32_STEM = ".fp32"
"""Name of the ONNX file that the others are made from; no plan can have it."""


@dataclass(frozen=True)
class Maker:
    """Make files.

    Attributes:
        plan: What to make.
        place: The same files in the folder where they are made.
        description: What goes into each.
        say: Takes lines about what is done.
        verbose: Whether exporters may talk.
    """

    plan: ExportPlan
    place: ExportPlan
    description: Mapping[str, Any]
    say: Say
    verbose: bool

    @property
    def base(self) -> Path:
        """The ONNX file in float32."""
        return self.place.folder / f"{FP32_STEM}.onnx"

    def make(self, network: nn.Module, images: Tensor, calibration: np.ndarray) -> None:
        """Make the files of all formats.

        Args:
            network: Takes images and returns embeddings.
            images: Examples.
            calibration: Images for int8.
        """
        example = images[: self.plan.batch or 2]
        if "onnx" in self.plan.formats or "openvino" in self.plan.formats:
            slow = " (this takes minutes)" if self.plan.exporter == "dynamo" else ""
            self.say(f"tracing the network for ONNX{slow}")
            with quiet(self.verbose):
                write_onnx(network, example, self.base, self.plan.exporter, self.plan.batch)
                describe_onnx(self.base, {**self.description, "precision": "fp32"})
        if "onnx" in self.plan.formats:
            self._make_onnx(calibration)
        if "openvino" in self.plan.formats:
            self._make_openvino(calibration)
        if "torchscript" in self.plan.formats:
            self.say("tracing the network for TorchScript")
            with quiet(self.verbose):
                file = self.place.file("torchscript")
                write_torchscript(network, example, file, self.description)

    def _make_onnx(self, calibration: np.ndarray) -> None:
        onnx = optional("onnx")
        model = onnx.load(str(self.base))
        if self.plan.precision == "fp16":
            halve_weights(model)
        if self.plan.precision == "int8":
            self._say_quantizing("ONNX", calibration)
            with quiet(self.verbose):
                model = quantize(model, calibration, self.plan.batch)
        file = self.place.file("onnx")
        onnx.save(model, str(file))
        describe_onnx(file, self.description)
        for text in obstacles(onnx.load(str(file))):
            self.say(f"{file.name}: not for TensorRT, {text}")

    def _make_openvino(self, calibration: np.ndarray) -> None:
        self.say("converting to OpenVINO")
        model = optional("openvino").Core().read_model(str(self.base))
        if self.plan.precision == "int8":
            self._say_quantizing("OpenVINO", calibration)
            with quiet(self.verbose):
                model = quantize(model, calibration, self.plan.batch)
        half = self.plan.precision == "fp16"
        write_openvino(model, self.place.file("openvino"), self.description, half)

    def _say_quantizing(self, kind: str, calibration: np.ndarray) -> None:
        self.say(f"quantising the {kind} graph to int8 by {len(calibration)} images")
