"""Run exported files, to compare them with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from mmreid_ext.deploy.engines.openvino import compile_on_cpu

from .optional import is_there, optional

Run: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Images of a batch to embeddings."""

ENGINES = {
    "onnx": ("ONNX Runtime", "OpenVINO"),
    "openvino": ("OpenVINO",),
    "torchscript": ("TorchScript",),
}
"""What runs a file of each format."""

_PACKAGES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "TorchScript": "torch"}


def has_engine(engine: str) -> bool:
    """Return whether an engine is installed."""
    return is_there(_PACKAGES[engine])


def open_file(engine: str, file: Path, threads: int | None = None) -> Run:
    """Load a file and return the function that it is, in float32.

    Args:
        engine: A name of :data:`ENGINES`.
        file: The exported model.
        threads: Threads of the engine. None leaves it to the engine.

    Raises:
        MissingPackageError: If the engine isn't installed.
    """
    if engine == "ONNX Runtime":
        return _onnxruntime(file, threads)
    if engine == "OpenVINO":
        return _openvino(file, threads)
    module = torch.jit.load(str(file), map_location="cpu")

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return module(torch.from_numpy(images)).numpy()

    return run


def _onnxruntime(file: Path, threads: int | None) -> Run:
    onnxruntime = optional("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["output"], {"images": images})[0]


def _openvino(file: Path, threads: int | None) -> Run:
    openvino = optional("openvino")
    core = openvino.Core()
    compiled = compile_on_cpu(core, core.read_model(str(file)), threads)
    request = compiled.create_infer_request()
    return lambda images: np.array(request.infer({"images": images})["output"])
