"""Write shards as one features file, a shard at a time: ``.npz`` or ``.parquet``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.apis.stored_features import NOTES_KEY, import_parquet
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.from_disk.feature_folder import SUFFIX, write_feature_folder
from mmreid_ext.evaluation.pid_names import pid_names_to_text
from mmreid_ext.output_files.atomic import atomic_open

from .image_list import ImageList
from .shards import Shard, ShardStore

SUFFIXES = (".npz", ".parquet", SUFFIX)


def check_suffix(out: Path) -> None:
    """Check that a result file has a name that can be written.

    Raises:
        UserError: If it ends otherwise.
        MissingPackageError: If the package for Parquet files isn't installed.
    """
    if out.suffix not in SUFFIXES:
        raise UserError(f"--out {out}: must end with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    if out.suffix == ".parquet":
        import_parquet()


def write_result(
    out: Path, images: ImageList, store: ShardStore, total: int, notes: Mapping[str, str]
) -> tuple[int, dict[int, str]]:
    """Write the embeddings of all shards, and the labels that the list has.

    Args:
        out: File, ``.npz`` (see :func:`mmreid_ext.evaluation.load_features`) or ``.parquet``, or
            folder, ``.features``.
        images: The list.
        store: Its shards, all finished.
        total: How many shards there are.
        notes: Text to keep with them.

    Returns:
        Number of embeddings, and the reason by place of pictures that couldn't be read.
    """
    rows: list[np.ndarray] = []
    unreadable: dict[int, str] = {}
    dim = 0
    for shard in store.shards(total):
        rows.append(shard.rows)
        unreadable |= shard.unreadable
        dim = shard.feats.shape[1]
    places = np.concatenate(rows)
    columns = _columns(images, places)
    notes = dict(notes)
    if images.pid_names:
        notes["pid_names"] = pid_names_to_text({_set_name(images): images.pid_names})
    writers = {".npz": _write_npz, ".parquet": _write_parquet, SUFFIX: _write_folder}
    writers[out.suffix](out, store.shards(total), (len(places), dim), columns, notes)
    return len(places), unreadable


def _set_name(images: ImageList) -> str:
    return images.folder.resolve().name or "images"


def _columns(images: ImageList, places: np.ndarray) -> dict[str, np.ndarray]:
    """Everything but the embeddings, as a features file has it; -1 and '' where unknown."""
    count, picked = len(places), places.tolist()

    def labels(values: list, unknown: Any) -> np.ndarray:
        return np.array([values[place] for place in picked]) if values else np.full(count, unknown)

    return dict(
        pids=labels(images.pids, -1),
        camids=labels(images.camids, -1),
        roles=labels(images.roles, "gallery"),
        datasets=np.full(count, _set_name(images)),
        names=np.array([images.name(place) for place in picked], dtype=np.str_),
        distractors=np.zeros(count, dtype=bool),
    )


def _write_npz(
    out: Path,
    shards: Iterable[Shard],
    shape: tuple[int, int],
    columns: Mapping[str, np.ndarray],
    notes: Mapping[str, str],
) -> None:
    arrays = dict(columns)
    arrays |= {f"note_{key}": np.asarray(value, dtype=np.str_) for key, value in notes.items()}
    with atomic_open(out, "wb") as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        # A fixed date: equal content makes equal files.
        with archive.open(zipfile.ZipInfo("feats.npy"), "w", force_zip64=True) as part:
            header = dict(descr="<f4", fortran_order=False, shape=shape)
            np.lib.format.write_array_header_2_0(part, header)
            for shard in shards:
                part.write(np.ascontiguousarray(shard.feats, dtype="<f4").data)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asarray(array), allow_pickle=False)


def _write_folder(
    out: Path,
    shards: Iterable[Shard],
    shape: tuple[int, int],
    columns: Mapping[str, np.ndarray],
    notes: Mapping[str, str],
) -> None:
    write_feature_folder(out, (shard.feats for shard in shards), columns, notes)


def _write_parquet(
    out: Path,
    shards: Iterable[Shard],
    shape: tuple[int, int],
    columns: Mapping[str, np.ndarray],
    notes: Mapping[str, str],
) -> None:
    arrow = import_parquet()
    embedding = arrow.list_(arrow.float32(), shape[1])
    fields = [(name, arrow.array(_unicode(array[:0])).type) for name, array in columns.items()]
    schema = arrow.schema([("embedding", embedding), *fields])
    schema = schema.with_metadata({NOTES_KEY: json.dumps(dict(notes)).encode()})
    with atomic_open(out, "wb") as file, arrow.parquet.ParquetWriter(file, schema) as writer:
        start = 0
        for shard in shards:
            end = start + len(shard.rows)
            feats = arrow.array(np.ascontiguousarray(shard.feats).reshape(-1))
            arrays = [arrow.FixedSizeListArray.from_arrays(feats, shape[1])]
            arrays += [arrow.array(_unicode(array[start:end])) for array in columns.values()]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            start = end


def _unicode(array: np.ndarray) -> np.ndarray:
    """Escape what is no text in file names: Parquet knows Unicode alone."""
    if array.dtype.kind != "U":
        return array
    texts = [text.encode("utf-8", "backslashreplace").decode() for text in array.tolist()]
    return np.array(texts, dtype=np.str_)
