"""Say what is exported: formats, input, precision, names and side-car files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from mmreid_ext.errors import ExistingFileError, UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.suggest import did_you_mean
from mmreid_ext.version import torch_is_at_least

from .normalization import Normalization

SUFFIXES = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".torchscript"}
"""Ending of the model file of every format."""

FORMATS = tuple(SUFFIXES)
INPUTS = ("normalized", "rgb01", "uint8")
PRECISIONS = ("fp32", "fp16", "int8")
EXPORTERS = ("torchscript", "dynamo")

Sidecar: TypeAlias = Callable[[Path, Mapping[str, Any]], Mapping[str, bytes]]
"""Called with the model file, whose name alone is final, and its description (see
:mod:`.description`); returns the content of files to write beside it, by their names."""


@dataclass(frozen=True)
class ExportPlan:
    """Say what is exported; presets are made by :func:`dataclasses.replace`.

    Attributes:
        folder: Where the files go; it is made.
        formats: Some of :data:`FORMATS`, one model file each.
        input: One of :data:`INPUTS`. ``normalized``: (N, 3, H, W) float32, mean and standard
            deviation are applied outside, channels in the model's order. ``rgb01``: (N, 3, H, W)
            float32, RGB in 0..1. ``uint8``: (N, H, W, 3) RGB bytes.
        precision: One of :data:`PRECISIONS`.
        exporter: What makes the ONNX graph, one of :data:`EXPORTERS`.
        batch: Images per call, fixed in the file; None: any number.
        name: Name of the files without its ending. None: ``model``, or ``model_fp16`` and
            ``model_int8``.
        overwrite: Whether files that are there are replaced.
        sidecars: Make further files; called once per format.
        outside: How the program that calls the file normalises ``normalized`` images, if not as the
            model does: the file undoes it, and then does what the model needs. None: as the model.
        checks: Called with ``input`` of the checkpoint's record before the work begins; they raise
            if the model doesn't fit.

    Raises:
        UserError: If a word is unknown, or two settings contradict one another.
    """

    folder: Path
    formats: Sequence[str] = ("onnx",)
    input: str = "normalized"
    precision: str = "fp32"
    exporter: str = "torchscript"
    batch: int | None = None
    name: str | None = None
    overwrite: bool = False
    sidecars: Sequence[Sidecar] = ()
    outside: Normalization | None = None
    checks: Sequence[Callable[[Mapping[str, Any]], None]] = ()

    def __post_init__(self) -> None:
        if not self.formats:
            raise UserError(f"export: formats is empty; name some of {', '.join(FORMATS)}.")
        for value in self.formats:
            _require_word("format", value, FORMATS)
        _require_word("input", self.input, INPUTS)
        _require_word("precision", self.precision, PRECISIONS)
        _require_word("exporter", self.exporter, EXPORTERS)
        if self.exporter == "dynamo" and not torch_is_at_least(2, 5):
            raise UserError(
                "export: exporter='dynamo' needs PyTorch 2.5 or newer; take 'torchscript'."
            )
        if self.batch is not None and self.batch < 1:
            raise UserError(f"export: batch={self.batch} must be at least 1.")
        if self.name is not None and not re.fullmatch(r"\w[\w.+-]*", self.name):
            raise UserError(
                f"export: name={self.name!r} must be the name of a file without its ending: "
                "letters, digits, '_', '-', '.'."
            )
        if self.outside is not None and self.input != "normalized":
            raise UserError(
                f"export: input={self.input!r} has mean and deviation inside; with "
                f"outside={self.outside} it must be 'normalized'."
            )
        if "torchscript" in self.formats and self.precision != "fp32":
            raise UserError(
                f"export: precision={self.precision!r} is not for TorchScript, which stays fp32; "
                "export onnx or openvino, or call `.half()` on the loaded module on a GPU."
            )

    @property
    def stem(self) -> str:
        """Name of the files without its ending."""
        if self.name is not None:
            return self.name
        return "model" if self.precision == "fp32" else f"model_{self.precision}"

    def stated(self, use: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``input`` of a checkpoint's record as it holds for callers of the file."""
        return dict(use) | (self.outside.entries() if self.outside else {})

    def file(self, kind: str) -> Path:
        """Return the model file of a format."""
        return self.folder / f"{self.stem}{SUFFIXES[kind]}"

    def model_files(self, kind: str) -> list[Path]:
        """Return the files of a model in the order in which they are put in place."""
        file = self.file(kind)
        # The .xml is nothing without its weights.
        return [file.with_suffix(".bin"), file] if kind == "openvino" else [file]

    def require_free(self) -> None:
        """Raise unless the folder can be written to and no file is there that must stay.

        Raises:
            ExistingFileError: If a file of a model or its description is there, and ``overwrite``
                is False.
            UserError: If the folder is a file, or nothing can be written there.
        """
        place = next(p for p in (self.folder, *self.folder.absolute().parents) if p.exists())
        if not place.is_dir():
            raise UserError(f"--out {self.folder}: {place} is a file; give a folder.")
        for kind in self.formats:
            models = self.model_files(kind)
            for file in (*reversed(models), models[-1].with_name(f"{models[-1].name}.json")):
                if file.exists() and not self.overwrite:
                    raise ExistingFileError(
                        f"{file} is there already; replace it by --overwrite, or give another "
                        "--out or --name."
                    )
                require_writable(file, "--out")


def _require_word(setting: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UserError(
            f"export: {setting}={value!r}{did_you_mean(value, known)} must be one of "
            f"{', '.join(known)}."
        )
