"""The interface of an engine, which turns a batch of inputs into embeddings, and its errors."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import numpy as np

from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.shorten import one_line, shorten

_TYPES = {"float32": np.dtype(np.float32), "uint8": np.dtype(np.uint8)}


class Engine(Protocol):
    """A loaded model.

    Attributes:
        name: Of the engine.
        inside: What the model takes and gives.
    """

    name: str
    inside: Signature

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Return the output of the model for one batch, (N, D). It is called by any thread."""
        ...


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives, as its file says.

    Attributes:
        shape: Of the input; None where it is free.
        dtype: Of the input, NumPy's name.
        size: Numbers of an embedding; None if the file doesn't say.
    """

    shape: tuple[int | None, ...]
    dtype: str
    size: int | None

    @property
    def batch(self) -> int | None:
        """The one batch size that the model takes; None: any."""
        return self.shape[0]

    def require(self, shape: tuple[int, ...], dtype: np.dtype, size: int, file: str) -> None:
        """Check that the model is the one that its record describes.

        Args:
            shape: Of one input, without the batch.
            dtype: Of the input.
            size: Numbers of an embedding.
            file: The file, for messages.

        Raises:
            UserError: If it isn't; names both.
        """
        free = all(a in (None, b) for a, b in zip(self.shape[1:], shape, strict=False))
        fits = len(self.shape) == len(shape) + 1 and free and _TYPES.get(self.dtype) == dtype
        if fits and self.size in (None, size):
            return
        found = [*("N" if n is None else n for n in self.shape[:1])]
        found += ["?" if n is None else n for n in self.shape[1:]]
        given = " x ".join(map(str, found))
        wanted = " x ".join(map(str, ("N", *shape)))
        raise UserError(
            f"{file} takes {given} {self.dtype} and gives {self.size or '?'} numbers; its record "
            f"says {wanted} {dtype} and {size}: the record is of another model, so export again."
        )


def require_one_each(file: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Check that a model has one input and one output: which of several is meant, nobody knows.

    Args:
        file: The file, for messages.
        inputs: Names.
        outputs: Names.

    Raises:
        UserError: If it has more or none; names them.
    """
    for kind, names in (("input", inputs), ("output", outputs)):
        if len(names) != 1:
            named = f" ({shorten(map(one_line, names))})" if names else ""
            raise UserError(
                f"{file} has {len(names)} {kind}s{named}, Embedder uses models with one: export "
                "the model again with its images as only input and its embeddings as only output."
            )


def engine_package(name: str) -> ModuleType:
    """Import the package of an engine.

    Raises:
        MissingPackageError: If it isn't installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"Embedder needs {name}, which can't be imported ({one_line(error)}): "
            "pip install 'mmreid_ext[deploy]'."
        ) from error


def refused(file: str, engine: str, error: Exception) -> UserError:
    """Return the error for a model that an engine doesn't load or run."""
    return UserError(
        f"{file} can't be used by {engine} ({one_line(error, 300)}); export the model again, "
        "or upgrade the engine."
    )
