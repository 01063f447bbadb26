"""Embeddings on disk, as plain arrays, so that evaluation can be redone without the model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.array_files.npz import ArrayFileError, read_npz
from mmreid_ext.array_files.text import impossible_text
from mmreid_ext.errors import MissingFileError, UserError, warn_user
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures
from mmreid_ext.evaluation.from_disk.feature_folder import (
    is_feature_folder,
    read_feature_folder,
    write_feature_folder,
)
from mmreid_ext.evaluation.pid_names import pid_names_from_text
from mmreid_ext.json_values import read_json
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.protocols import JUNK
from mmreid_ext.shorten import one_line

_FIELDS = ("feats", "pids", "camids", "roles", "datasets", "names", "distractors")
_NEEDED = ("feats", "pids", "camids", "roles")
_NO_DISTRACTORS = (
    "{} does not say which images are distractors: it comes from an earlier version, or from "
    "another program. None is taken for one. Under 'self_retrieval', distractors of one number "
    "would count as one person; write the file again with tools/test.py --save-features."
)
_LONGEST_TITLE = 200
_ROWS_AT_ONCE = 4096
_OUR_NOTES = ("checkpoint", "training", "protocols", "pid_names")


def save_features(path: str | os.PathLike, embeddings: EmbeddingSet, **notes: str) -> Path:
    """Write embeddings and what they show.

    Args:
        path: Ends with ``.npz`` (added where missing), or with ``.features``: a folder, from which
            they can be evaluated without being read into memory. Missing folders are made. What is
            there is replaced only by something complete.
        embeddings: What to save.
        **notes: Strings to keep with them, as JSON ``checkpoint`` (see
            :func:`.report.describe_checkpoint`), ``training``, ``protocols``
            and ``pid_names``.

    Returns:
        The path written.
    """
    path = Path(path)
    if is_feature_folder(path):
        blocks = (part.numpy() for part in embeddings.feats.split(_ROWS_AT_ONCE))
        columns = {field: getattr(embeddings, field) for field in _FIELDS[1:]}
        write_feature_folder(path, blocks, columns, notes)
        return path
    if path.suffix != ".npz":
        path = path.with_name(path.name + ".npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {f: np.asarray(getattr(embeddings, f)) for f in _FIELDS}
    arrays |= {f"note_{key}": np.asarray(value, dtype=np.str_) for key, value in notes.items()}
    with atomic_open(path, "wb") as file:
        np.savez(file, **arrays)
    return path


def load_features(
    path: str | os.PathLike, in_memory: bool = True
) -> tuple[EmbeddingSet, dict[str, str]]:
    """Read what :func:`save_features` wrote. Pickled objects in the file are refused.

    Args:
        path: The ``.npz`` file, or the folder ``NAME.features``. In one made by other means
            ``names`` may be missing (empty strings), ``distractors`` (none, with a warning where
            there may be some) and ``datasets`` (the file's stem); the other arrays are needed.
        in_memory: Whether the features of a folder are read; otherwise they stay on disk. Defaults
            to True.

    Returns:
        The embeddings, and the notes saved with them.

    Raises:
        UserError: If the file isn't such an archive, an array is missing or of another type or
            length, or one holds Python objects; the message names the file.
    """
    path = Path(path)
    if is_feature_folder(path) and path.is_dir():
        arrays, notes = read_feature_folder(path)
        if in_memory:
            arrays["feats"] = arrays["feats"].load().numpy()
        return _checked(path, arrays), notes
    if not path.is_file():
        raise MissingFileError(
            f"No features file {path}. Write one with `python tools/test.py CONFIG CHECKPOINT "
            "--save-features PATH`."
        )
    try:
        arrays = dict(read_npz(path))
    except ArrayFileError as error:
        raise UserError(
            f"{path} is not a features file ({one_line(error)}). Write one with `python "
            "tools/test.py CONFIG CHECKPOINT --save-features PATH`."
        ) from error
    notes = {k.removeprefix("note_"): str(v) for k, v in arrays.items() if k.startswith("note_")}
    return _checked(path, arrays), notes


def _checked(path: Path, arrays: dict[str, Any]) -> EmbeddingSet:
    """Check arrays that anybody may have written, and put them together."""
    missing = [field for field in _NEEDED if field not in arrays]
    if missing:
        raise UserError(f"{path} lacks the arrays {missing}; it holds {sorted(arrays)}.")
    _check_types(path, arrays)
    _check_titles(path, arrays)
    count = len(arrays["feats"])
    arrays.setdefault("datasets", np.full(count, path.stem))
    arrays.setdefault("names", np.full(count, ""))
    is_silent = "distractors" not in arrays
    arrays.setdefault("distractors", np.zeros(count, dtype=bool))
    try:
        images = EmbeddingSet(*(arrays[field] for field in _FIELDS))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if is_silent and _may_hold_distractors(arrays):
        warn_user(_NO_DISTRACTORS.format(path))
    return images


def _may_hold_distractors(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a number that no query has stands for several images of a set."""
    _, sets = np.unique(arrays["datasets"], return_inverse=True)
    people = np.stack([sets.reshape(-1), arrays["pids"]], axis=1)
    real, is_query = arrays["pids"] != JUNK, arrays["roles"] == "query"
    asked = {tuple(row) for row in np.unique(people[is_query], axis=0)}
    others, counts = np.unique(people[real & ~is_query], axis=0, return_counts=True)
    return any(
        count > 1 and tuple(row) not in asked for row, count in zip(others, counts, strict=True)
    )


def _check_types(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Arrays of other types than numbers and text as needed are refused before they are used."""
    kinds = dict(feats="fiu", pids="iu", camids="iu", roles="US", datasets="US", names="US")
    for field, kind in (kinds | dict(distractors="b")).items():
        if field not in arrays or isinstance(arrays[field], DiskFeatures):
            continue
        array, dims = arrays[field], 2 if field == "feats" else 1
        if array.ndim != dims or (array.dtype.kind not in kind and array.size):
            what = {"fiu": "numbers", "iu": "integers", "US": "text", "b": "truth values"}[kind]
            raise UserError(
                f"{path}: {field} has shape {array.shape} and type {array.dtype}, must be "
                f"{dims}-dimensional {what}."
            )
        place = impossible_text(array) if kind == "US" else None
        if place is not None:
            raise UserError(f"{path}: {field} holds what is no text in row {place}.")


def _check_titles(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Names of test sets are printed, and become those of folders; a stranger may have written."""
    titles = arrays.get("datasets", np.array([], dtype=np.str_))
    if len(titles) and (titles == titles[0]).all():  # to sort text takes long
        titles = titles[:1]
    for title in np.unique(titles).tolist():
        if not str(title).isprintable() or len(str(title)) > _LONGEST_TITLE:
            raise UserError(
                f"{path}: {one_line(title)!r} is no name of a test set; it must be printable text "
                f"of at most {_LONGEST_TITLE} letters."
            )


def saved_protocols(notes: Mapping[str, str], source: str | os.PathLike) -> dict[str, Any]:
    """Return the protocol by test set, from the notes of a features file.

    Args:
        notes: From :func:`load_features`.
        source: The file, for messages.

    Raises:
        UserError: If the note isn't a JSON object.
    """
    found = _note(notes, "protocols", source)
    return {} if found is None else found


def notes_as_data(notes: Mapping[str, str], source: str | os.PathLike) -> dict[str, Any]:
    """Read what the notes of a features file say about the model.

    Args:
        notes: From :func:`load_features`.
        source: The file, for messages.

    Returns:
        ``checkpoint`` and ``training`` (None where unknown), ``pid_names`` by test set, and
        ``others`` (text).

    Raises:
        UserError: If a note is damaged.
    """
    return dict(
        checkpoint=_note(notes, "checkpoint", source),
        training=_note(notes, "training", source),
        pid_names=pid_names_from_text(notes.get("pid_names", "")),
        others={key: value for key, value in notes.items() if key not in _OUR_NOTES},
    )


def _note(notes: Mapping[str, str], key: str, source: str | os.PathLike) -> dict | None:
    text = notes.get(key, "")
    if key == "checkpoint" and text and not text.lstrip().startswith("{"):
        return {"file": Path(text).name, "sha256": None}  # the note of another program: a name
    try:
        found = read_json(text or "null")
    except ValueError as error:
        raise UserError(f"{source}: the note {key!r} is not JSON ({one_line(error)}).") from error
    if found is not None and not isinstance(found, dict):
        raise UserError(f"{source}: the note {key!r} must be a JSON object, got {one_line(text)}.")
    return found
