"""OpenVINO."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.deploy.own_thread import call_in_own_thread
from mmreid_ext.errors import MissingFileError, UserError

from .engine import Signature, engine_package, refused, require_one_each
from .onnxruntime import check_external_files


class OpenVino:
    """A model in OpenVINO, computed in float32; ``run`` may be called by several threads.

    Args:
        file: The ``.xml`` file, with its ``.bin`` beside it, or an ``.onnx`` file.
        threads: Threads of one call. None: as OpenVINO chooses, all cores.
    """

    name = "openvino"

    def __init__(self, file: Path, threads: int | None = None) -> None:
        package = engine_package("openvino")
        _require_weights(file)
        try:
            core = package.Core()
            model = core.read_model(str(file))
            require_one_each(
                str(file),
                [_name(one) for one in model.inputs],
                [_name(one) for one in model.outputs],
            )
            self._compiled = compile_on_cpu(core, model, threads)
            self.inside = _signature(model)
        except UserError:
            raise
        except Exception as error:  # RuntimeError and those of pybind11
            raise refused(str(file), "OpenVINO", error) from error
        self._file = str(file)
        self._own = threading.local()

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Return the output of the model for one batch, (N, D)."""
        try:
            request = getattr(self._own, "request", None)
            if request is None:
                request = self._own.request = self._compiled.create_infer_request()
            return np.asarray(request.infer({0: batch})[self._compiled.output(0)])
        except Exception as error:  # RuntimeError and those of pybind11
            raise refused(self._file, "OpenVINO", error) from error


def compile_on_cpu(core: Any, model: Any, threads: int | None) -> Any:
    """Return a compiled model that computes in float32.

    OpenVINO's CPU plugin gives the thread that loads it another stack for signal handlers. A plugin
    that goes takes its stack with it, and puts back the one it found. Two plugins that go in the
    order in which they came put back a stack that is gone. The next signal then ends the process
    without a word: the end of a worker of PyTorch's loader is such a signal. An ended thread has
    no stack to lose. (OpenVINO 2026, ``src/plugins/intel_cpu/src/plugin.cpp``.)

    Args:
        core: An ``openvino.Core``.
        model: An ``openvino.Model``.
        threads: Of one call; None: all cores.
    """
    # Without the hint, CPUs that have bfloat16 compute in it: cosine 0.9997.
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    return call_in_own_thread(lambda: core.compile_model(model, "CPU", settings))


def _name(port: Any) -> str:
    return min(port.get_names(), default="one without a name")


def _signature(model: Any) -> Signature:
    taken, given = model.input(0), model.output(0)
    shape = tuple(None if n.is_dynamic else n.get_length() for n in taken.get_partial_shape())
    last = list(given.get_partial_shape())[-1]
    dtype = {"f32": "float32", "u8": "uint8"}.get(
        taken.get_element_type().get_type_name(), taken.get_element_type().get_type_name()
    )
    return Signature(shape, dtype, None if last.is_dynamic else last.get_length())


def _require_weights(file: Path) -> None:
    if file.suffix.lower() != ".xml":
        check_external_files(file)
    elif not file.with_suffix(".bin").is_file():
        raise MissingFileError(
            f"{file} has its weights in {file.with_suffix('.bin').name}, which isn't beside it: "
            "copy both files."
        )
