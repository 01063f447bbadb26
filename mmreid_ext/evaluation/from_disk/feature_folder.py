"""Folders of features, ``NAME.features``: an index, and the ``.npy`` files that it names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.array_files.npy import MappedArray
from mmreid_ext.array_files.npz import MOST_TIMES, ROOM, ArrayFileError
from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_open, atomic_write, sweep_leftovers
from mmreid_ext.shorten import one_line

from .disk_features import DiskFeatures

SUFFIX = ".features"
"""How the name of such a folder ends."""

INDEX = "features.json"
_FORMAT = "mmreid_ext features 1"
_COLUMNS = ("pids", "camids", "roles", "datasets", "names", "distractors")
_OURS = re.compile(r"[a-z]+_(\d{1,9})(_\d+)?\.npy")
_PART_BYTES = 2**29
_MOST_PARTS = 512
"""Each stays open; 256 GiB in our own parts."""

_LARGEST_INDEX = 2**26


def is_feature_folder(path: str | os.PathLike) -> bool:
    """Whether a path is a folder of features, by its name."""
    return Path(path).suffix == SUFFIX


def write_feature_folder(
    folder: Path,
    blocks: Iterable[np.ndarray],
    columns: Mapping[str, np.ndarray],
    notes: Mapping[str, str],
) -> None:
    """Write features block by block; what was in the folder stays until all is written.

    Args:
        folder: Made if it is missing.
        blocks: Arrays (n, D) of floats, all of one D.
        columns: What they show, (N,) each: ``pids``, ``camids``, ``roles`` and so on.
        notes: Text to keep with them.

    Raises:
        UserError: If the folder holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    strangers = [name for name in os.listdir(folder) if not _is_ours(name)]
    if strangers:
        raise UserError(
            f"{folder} holds other files ({one_line(sorted(strangers)[0])}); give another name."
        )
    sweep_leftovers(folder)
    known = [_OURS.fullmatch(name) for name in os.listdir(folder)]
    number = 1 + max((int(found[1]) for found in known if found), default=0)
    index: dict[str, Any] = {"format": _FORMAT, "feats": [], "columns": {}}
    for part, array in enumerate(_parts(blocks)):
        index["feats"].append(_save(folder, f"feats_{number}_{part}.npy", array))
    for name, values in columns.items():
        values = np.asarray(values)
        if len(values) and (values == values[0]).all():
            index["columns"][name] = {"constant": values[0].item()}
        else:
            index["columns"][name] = {"file": _save(folder, f"{name}_{number}.npy", values)}
    index["notes"] = dict(notes)
    atomic_write(folder / INDEX, json.dumps(index, indent=1).encode("utf-8"))
    for name in os.listdir(folder):
        found = _OURS.fullmatch(name)
        if found and int(found[1]) < number:
            (folder / name).unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    return name == INDEX or name.startswith(".") or _OURS.fullmatch(name) is not None


def _save(folder: Path, name: str, array: np.ndarray) -> str:
    with atomic_open(folder / name, "wb") as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    return name


def _parts(blocks: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    """Join blocks to parts of half a gigabyte; yields at least one part."""
    held: list[np.ndarray] = []
    any_part = False
    for block in blocks:
        held.append(np.asarray(block, dtype="<f4"))
        if sum(part.nbytes for part in held) >= _PART_BYTES:
            yield np.concatenate(held)
            held, any_part = [], True
    if held and (not any_part or sum(map(len, held))):
        yield np.concatenate(held)


def read_feature_folder(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, str]]:
    """Read what :func:`write_feature_folder` wrote; everything stays on disk.

    Args:
        path: The folder.

    Returns:
        ``feats``, a :class:`.disk_features.DiskFeatures`, and the columns that are there, mapped;
        and the notes.

    Raises:
        UserError: If the index or a file that it names can't be used, or lies elsewhere.
    """
    folder = Path(path)
    index = _read_index(folder)
    names = index["feats"]
    if not names or len(names) > _MOST_PARTS:
        raise UserError(
            f"{folder / INDEX} names {len(names)} parts of features, 1 to {_MOST_PARTS} are "
            "possible. Write larger ones."
        )
    parts = [_mapped(folder, name) for name in names]
    width = parts[0].array.shape[1:]
    for name, part in zip(names, parts, strict=True):
        array = part.array
        if array.ndim != 2 or array.dtype.kind != "f" or not array.flags.c_contiguous:
            raise UserError(
                f"{folder / name} has shape {array.shape} and type {array.dtype}, must be a "
                "2-dimensional array of floats, row by row."
            )
        if array.shape[1:] != width or not array.shape[1] or array.dtype.itemsize > 8:
            raise UserError(
                f"{folder / name} has {array.shape[1]} numbers of type {array.dtype} per image, "
                f"{names[0]} has {width[0]}; all parts must be of one model, and of at most 64 bit."
            )
    feats = DiskFeatures(parts)
    found: dict[str, Any] = {"feats": feats}
    for name, entry in index["columns"].items():
        found[name] = _column(folder, name, entry, len(feats))
        # whoever chooses rows of it copies it as often
        if "constant" in entry and found[name].nbytes > MOST_TIMES * feats.nbytes + ROOM:
            raise UserError(
                f"{folder / INDEX}: {name!r} of {len(feats):,} images would take "
                f"{found[name].nbytes / 1e9:.2f} GB: damaged, or made to fill the memory."
            )
    return found, index["notes"]


def _read_index(folder: Path) -> dict[str, Any]:
    """Read the index, and check that it has the form that it must have."""
    file = folder / INDEX
    try:
        size = file.stat().st_size
        if size > _LARGEST_INDEX:
            raise UserError(f"{file} has {size:,} bytes, far more than an index of features.")
        index = json.loads(file.read_bytes())
        if not isinstance(index, dict) or index.get("format") != _FORMAT:
            raise ValueError(f"its format isn't {_FORMAT!r}")
        feats, columns, notes = index["feats"], index["columns"], index.get("notes", {})
        if not isinstance(feats, list) or not isinstance(columns, dict):
            raise ValueError("'feats' must be a list, 'columns' an object")
        if not isinstance(notes, dict) or not all(isinstance(v, str) for v in notes.values()):
            raise ValueError("'notes' must be an object of texts")
        unknown = sorted(set(columns) - set(_COLUMNS))
        if unknown:
            raise ValueError(f"the column {one_line(unknown[0])} is unknown")
    except (ValueError, KeyError, RecursionError, OSError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{folder} is no folder of features ({one_line(str(error) or type(error).__name__)}). "
            "Write one with `python tools/embed.py CHECKPOINT PICTURES --out NAME.features`."
        ) from error
    return {"feats": feats, "columns": columns, "notes": notes}


def _mapped(folder: Path, name: Any) -> MappedArray:
    """Map a file of the folder; a name that leads elsewhere is refused."""
    plain = isinstance(name, str) and name.isprintable() and name.endswith(".npy")
    if not plain or os.path.basename(name) != name or "\\" in name or ":" in name:
        raise UserError(
            f"{folder / INDEX} names {one_line(name)}, must be an .npy file of the folder itself."
        )
    file = folder / name
    if os.path.dirname(os.path.realpath(file)) != os.path.realpath(folder):
        raise UserError(f"{file} is a link to another folder; put the file itself there.")
    try:
        return MappedArray(file)
    except (ArrayFileError, OSError) as error:
        raise UserError(f"{file} can't be used: {one_line(error)}.") from error


def _column(folder: Path, name: str, entry: Any, count: int) -> np.ndarray:
    """Return one value per image: those of a file, or one for all without taking memory."""
    if isinstance(entry, dict) and "constant" in entry:
        value = entry["constant"]
        too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
        if too_large or not isinstance(value, (bool, int, str)):
            raise UserError(
                f"{folder / INDEX}: the constant of {name!r} is {one_line(value)}, must be a text, "
                "a truth value or a 64-bit integer."
            )
        return np.broadcast_to(np.array(value), (count,))
    if not isinstance(entry, dict) or "file" not in entry:
        raise UserError(f"{folder / INDEX}: {name!r} must have a 'file' or a 'constant'.")
    array = _mapped(folder, entry["file"]).array
    if array.shape != (count,):
        raise UserError(
            f"{folder / entry['file']} has shape {array.shape}, must be ({count},), one per image."
        )
    return array
