"""Choose the engine of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean

from .engine import Engine
from .onnxruntime import OnnxRuntime
from .openvino import OpenVino

ENGINES = {"onnxruntime": (".onnx",), "openvino": (".xml", ".onnx")}
"""Which files each engine runs."""

_DEFAULT = {".onnx": "onnxruntime", ".xml": "openvino"}


def open_engine(
    file: Path,
    engine: str | None = None,
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> Engine:
    """Load a model.

    Args:
        file: An exported model.
        engine: ``onnxruntime`` or ``openvino``. None: ONNX Runtime for ``.onnx``, OpenVINO for
            ``.xml``.
        threads: Threads of one call; None: all cores.
        providers: Execution providers of ONNX Runtime; None: the CPU.

    Raises:
        UserError: If no engine runs such a file, or the engine refuses it.
        MissingPackageError: If the engine isn't installed.
    """
    suffix = file.suffix.lower()
    if suffix not in _DEFAULT:
        raise UserError(
            f"{file} can't be run without PyTorch: its name must end in .onnx or .xml; "
            "export the checkpoint with --format onnx or openvino."
        )
    chosen = engine or _DEFAULT[suffix]
    if chosen not in ENGINES:
        raise UserError(
            f"engine={engine!r}{did_you_mean(engine, ENGINES)}, must be one of "
            f"{', '.join(ENGINES)}."
        )
    if suffix not in ENGINES[chosen]:
        raise UserError(f"{file}: {chosen} runs {' and '.join(ENGINES[chosen])} files only.")
    if chosen == "openvino":
        if providers is not None:
            raise UserError("providers are those of ONNX Runtime; OpenVINO has none.")
        return OpenVino(file, threads)
    return OnnxRuntime(file, threads, providers)
