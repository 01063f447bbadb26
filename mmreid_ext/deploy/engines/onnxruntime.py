"""ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.deploy.model_file.onnx_file import external_files
from mmreid_ext.errors import MissingFileError, UserError

from .engine import Signature, engine_package, refused, require_one_each

CPU = "CPUExecutionProvider"
_FULL_FLOAT32 = {"CUDAExecutionProvider": {"use_tf32": "0"}}
"""Options with which a provider computes in float32, and not in something shorter."""

_ERRORS_ONLY = 3


class OnnxRuntime:
    """A model in ONNX Runtime; ``run`` may be called by several threads.

    Args:
        file: The ``.onnx`` file.
        threads: Threads of one call. None: as ONNX Runtime chooses, all cores.
        providers: Names of execution providers, the preferred one first. None: the CPU.
    """

    name = "onnxruntime"

    def __init__(
        self, file: Path, threads: int | None = None, providers: Sequence[str] | None = None
    ) -> None:
        package = engine_package("onnxruntime")
        check_external_files(file)
        chosen = [CPU] if providers is None else _checked(providers, package)
        options = package.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = threads or 0
        # The arena never gives back what the largest batch took; without it, batches of 8 are as
        # quick. Threads that wait in a loop cost a third of the CPU time, and save no time.
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = package.InferenceSession(
                str(file),
                options,
                providers=[(n, _FULL_FLOAT32.get(n, {})) for n in chosen],
                enable_fallback=0,  # it would print, and try the CPU
            )
        except Exception as error:  # its own types, and those of pybind11
            raise refused(str(file), "ONNX Runtime", error) from error
        if self._session.get_providers()[0] != chosen[0]:  # it goes on without a word
            raise UserError(
                f"providers={list(providers or ())!r}: ONNX Runtime can't start {chosen[0]} here "
                "(its driver or libraries are missing); leave providers out to compute on the CPU."
            )
        self._file = str(file)
        require_one_each(
            str(file),
            [i.name for i in self._session.get_inputs()],
            [o.name for o in self._session.get_outputs()],
        )
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        self.inside = _signature(self._session)

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Return the output of the model for one batch, (N, D)."""
        try:
            return self._session.run([self._output], {self._input: batch})[0]
        except Exception as error:  # its own types, and those of pybind11
            raise refused(self._file, "ONNX Runtime", error) from error


def _signature(session: Any) -> Signature:
    taken, given = session.get_inputs()[0], session.get_outputs()[0]
    kind = taken.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(n if isinstance(n, int) else None for n in taken.shape)
    last = given.shape[-1] if given.shape else None
    dtype = {"float": "float32"}.get(kind, kind)
    return Signature(shape, dtype, last if isinstance(last, int) else None)


def _checked(providers: Sequence[str], package: Any) -> list[str]:
    known = package.get_available_providers()
    unknown = [name for name in providers if name not in known]
    if isinstance(providers, str) or not providers or unknown:
        raise UserError(
            f"providers={providers!r}, must be a list of providers that this ONNX Runtime has: "
            f"{', '.join(known)}. For a GPU, install onnxruntime-gpu in place of onnxruntime."
        )
    return list(providers)


def check_external_files(file: Path) -> None:
    """Refuse weights outside of the model's folder: a stranger's file could name any file."""
    folder = file.resolve().parent
    try:
        names = external_files(file)
    except OSError as error:
        raise UserError(f"{file} can't be read: {error}.") from error
    for name in names:
        other = folder / name
        if not other.resolve().is_relative_to(folder):
            raise UserError(
                f"{file} keeps weights in {name!r}, outside of its folder, which is refused; "
                "export the model as one file."
            )
        if not other.is_file():
            raise MissingFileError(
                f"{file} keeps weights in {name!r}, which isn't beside it: copy that file, too, "
                "or export the model as one file."
            )
