"""Read a features file, ``.npz`` or ``.parquet``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmreid_ext.errors import MissingFileError, MissingPackageError, UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.from_disk.feature_folder import SUFFIX
from mmreid_ext.evaluation.results.features_file import load_features
from mmreid_ext.json_values import read_json

NOTES_KEY = b"mmreid_ext"
"""Key of a Parquet file's metadata under which the notes are."""

_ROWS_AT_ONCE = 4096
_COLUMNS = ("pids", "camids", "roles", "datasets", "names", "distractors")


def import_parquet() -> Any:
    """Import pyarrow, with its module for Parquet files.

    Raises:
        MissingPackageError: If it isn't installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingPackageError(
            "Parquet files need the package pyarrow: install it by "
            "`pip install 'mmreid_ext[parquet]'` or `pip install pyarrow`, or use .npz."
        ) from None
    return pyarrow


def is_features_file(path: str | os.PathLike) -> bool:
    """Whether a path has the name of a features file."""
    return Path(path).suffix in (".npz", ".parquet", SUFFIX)


def read_embeddings(
    path: str | os.PathLike, in_memory: bool = True
) -> tuple[EmbeddingSet, dict[str, str]]:
    """Read embeddings, what they show, and the notes saved with them.

    Args:
        path: ``.npz`` or ``.features`` of ``tools/test.py --save-features``, or a file or folder of
            ``tools/embed.py``.
        in_memory: Whether the features of a folder are read; otherwise they stay on disk.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If it holds something else.
    """
    path = Path(path)
    if path.suffix != ".parquet":
        return load_features(path, in_memory)
    if not path.is_file():
        raise MissingFileError(f"No features file {path}. Write one with tools/embed.py.")
    arrow = import_parquet()
    try:
        table = arrow.parquet.read_table(path)
        notes = read_json((table.schema.metadata or {}).get(NOTES_KEY, b"{}"))
        feats = table["embedding"].combine_chunks()
        width = table.schema.field("embedding").type.list_size
        values = feats.values if isinstance(feats, arrow.Array) else feats.chunk(0).values
        matrix = np.asarray(values, dtype=np.float32).reshape(-1, width)
        columns = [np.array(table[name].to_pylist()) for name in _COLUMNS]
    except (arrow.ArrowException, KeyError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path} is not a features file of tools/embed.py ({error}).") from error
    return EmbeddingSet(torch.from_numpy(np.array(matrix)), *columns), {
        str(k): str(v) for k, v in notes.items()
    }


def distinct_rows(stored: EmbeddingSet) -> np.ndarray:
    """Return the rows of distinct images: one that belongs to several test sets is taken once."""
    _, first, numbers = np.unique(stored.names, return_index=True, return_inverse=True)
    before = first[numbers]  # the first row of the same name
    copy = (before != np.arange(len(before))) & (stored.names != "")
    for rows in np.array_split(np.flatnonzero(copy), max(copy.sum() // _ROWS_AT_ONCE, 1)):
        pairs = (stored.feats[torch.from_numpy(which)] for which in (rows, before[rows]))
        copy[rows] = torch.eq(*pairs).all(dim=1).numpy()
    return np.flatnonzero(~copy)
