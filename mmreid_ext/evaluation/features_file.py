"""Embeddings on disk, as plain arrays, so that evaluation can be redone without the model."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from mmreid_ext.errors import MissingFileError, UserError

from .embedding_set import EmbeddingSet

_FIELDS = ("feats", "pids", "camids", "roles", "datasets", "names")


def save_features(path: str | os.PathLike, embeddings: EmbeddingSet, **notes: str) -> Path:
    """Write embeddings and what they show.

    Args:
        path: Ends with ``.npz`` (added where missing). Missing folders are made. An existing file
            is replaced only by a complete one.
        embeddings: What to save.
        **notes: Short strings to keep with them, for example ``checkpoint`` or ``protocols`` (as
            JSON).

    Returns:
        The path written.
    """
    from mmreid_ext.checkpoint.atomic import atomic_open  # its package imports MMEngine

    path = Path(path)
    if path.suffix != ".npz":
        path = path.with_name(path.name + ".npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {field: np.asarray(getattr(embeddings, field)) for field in _FIELDS}
    arrays |= {f"note_{key}": np.asarray(value, dtype=np.str_) for key, value in notes.items()}
    with atomic_open(path, "wb") as file:
        np.savez(file, **arrays)
    return path


def load_features(path: str | os.PathLike) -> tuple[EmbeddingSet, dict[str, str]]:
    """Read what :func:`save_features` wrote. Pickled objects in the file are refused.

    Args:
        path: The ``.npz`` file. In one made by other means ``names`` may be missing (empty
            strings), and ``datasets`` (the file's stem); the other arrays are needed.

    Returns:
        The embeddings, and the notes saved with them.

    Raises:
        MissingFileError: If there is no such file.
        ValueError: If the file isn't such an archive, an array is missing, or one holds Python
            objects.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(
            f"No features file {path}. Write one with `python tools/test.py CONFIG CHECKPOINT "
            "--save-features PATH`."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (zipfile.BadZipFile, ValueError, AttributeError, EOFError) as error:
        raise UserError(
            f"{path} is not a features file ({error}). Write one with `python tools/test.py CONFIG "
            "CHECKPOINT --save-features PATH`."
        ) from error
    missing = [field for field in ("feats", "pids", "camids", "roles") if field not in arrays]
    if missing:
        raise UserError(f"{path} lacks the arrays {missing}; it holds {sorted(arrays)}.")
    count = len(arrays["feats"])
    arrays.setdefault("datasets", np.full(count, path.stem))
    arrays.setdefault("names", np.full(count, ""))
    notes = {k.removeprefix("note_"): str(v) for k, v in arrays.items() if k.startswith("note_")}
    return EmbeddingSet(*(arrays[field] for field in _FIELDS)), notes
