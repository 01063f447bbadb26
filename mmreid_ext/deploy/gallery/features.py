"""Move pictures between a gallery and a features file (``.npz``), without PyTorch.

The file is that of ``tools/test.py --save-features`` and ``tools/embed.py``, so it can be searched
and evaluated. What such a file has no place for is in arrays and notes of its own, which other
readers pass over: ``times``, ``hashes``, the names of cameras, and thumbnails if they are wanted.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_open

from .records import GalleryModel, Rows

SET = "gallery"
"""Name of the test set that exported pictures belong to."""


def write_features(path: str | os.PathLike, parts: Iterable[Rows], model: GalleryModel) -> int:
    """Write pictures as a features file; an existing file is replaced by a complete one only.

    Identities and cameras that are whole numbers keep them as ``pids`` and ``camids``. Others are
    numbered in order of their names, which stand in the notes. -1: unknown.

    Args:
        path: Ends with ``.npz``.
        parts: The pictures.
        model: Whose embeddings they are.

    Returns:
        How many were written.

    Raises:
        UserError: If the path can't be written.
    """
    target = Path(os.path.realpath(path))
    if target.suffix != ".npz":
        raise UserError(f"{path}: the name of a features file must end with .npz.")
    require_writable(target, "export")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Beside the result: the same disk, and gone when it is closed.
        with tempfile.TemporaryFile(dir=target.parent) as codes:
            table = _Table()
            for rows in parts:
                codes.write(rows.embeddings.astype("<f2").tobytes())
                table.take(rows)
            codes.seek(0)
            _write(target, codes, (table.count, model.size), table.arrays(model))
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror or error}).") from error
    return table.count


def _write(target: Path, codes: Any, shape: tuple[int, int], arrays: dict[str, Any]) -> None:
    with (
        atomic_open(target, "wb") as file,
        zipfile.ZipFile(file, "w", allowZip64=True) as archive,
    ):
        # A fixed date: equal content makes equal files.
        with archive.open(zipfile.ZipInfo("feats.npy"), "w", force_zip64=True) as part:
            header = dict(descr="<f2", fortran_order=False, shape=shape)
            np.lib.format.write_array_header_2_0(part, header)
            shutil.copyfileobj(codes, part, 1 << 20)
        for key, array in arrays.items():
            entry = zipfile.ZipInfo(f"{key}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.asarray(array), allow_pickle=False)


class _Table:
    """Everything but the embeddings, column by column."""

    def __init__(self) -> None:
        self.count = 0
        self.identities: list[str | None] = []
        self.cameras: list[str | None] = []
        self.times: list[float | None] = []
        self.sources: list[str | None] = []
        self.hashes: list[str] = []
        self.thumbnails: list[bytes | None] = []

    def take(self, rows: Rows) -> None:
        """Add pictures."""
        self.count += len(rows)
        self.identities += rows.identities
        self.cameras += rows.cameras
        self.times += rows.times
        self.sources += rows.sources
        self.hashes += [hash.hex() for hash in rows.hashes]
        self.thumbnails += rows.thumbnails

    def arrays(self, model: GalleryModel) -> dict[str, Any]:
        """Return the arrays of the file."""
        people, cameras = numbered(self.identities), numbered(self.cameras)
        named = {number: name for name, number in people.items() if str(number) != name}
        camera_names = {number: name for name, number in cameras.items()}
        checkpoint = dict(file=model.name, sha256=None, weights=model.identity)
        notes = dict(
            checkpoint=checkpoint,
            pid_names={SET: named} if named else {},
            camera_names=camera_names,
            thresholds=[vars(one) for one in model.all_thresholds],
        )
        found = dict(
            pids=_codes(self.identities, people),
            camids=_codes(self.cameras, cameras),
            roles=np.full(self.count, "gallery"),
            datasets=np.full(self.count, SET),
            names=np.array([name or "" for name in self.sources], dtype=np.str_),
            distractors=np.zeros(self.count, dtype=bool),
            times=np.array(self.times, dtype=np.float64),
            hashes=np.array(self.hashes, dtype=np.str_),
        )
        if any(self.thumbnails):
            pictures = [jpeg or b"" for jpeg in self.thumbnails]
            found["thumbnails"] = np.frombuffer(b"".join(pictures), dtype=np.uint8)
            found["thumbnail_sizes"] = np.array([len(jpeg) for jpeg in pictures], dtype=np.int64)
        texts = {key: json.dumps(value, ensure_ascii=False) for key, value in notes.items()}
        return found | {f"note_{key}": np.array(text) for key, text in texts.items()}


def _codes(names: list[str | None], numbers: dict[str, int]) -> np.ndarray:
    return np.array([-1 if n is None else numbers[n] for n in names], dtype=np.int64)


def numbered(names: Iterable[str | None]) -> dict[str, int]:
    """Give each name a number; a name that is a whole number keeps it.

    Args:
        names: With repeats, None left out.
    """
    known = sorted({name for name in names if name is not None})
    kept = {name: int(name) for name in known if _is_number(name)}
    first = max(kept.values(), default=-1) + 1
    others = [name for name in known if name not in kept]
    return kept | {name: first + place for place, name in enumerate(others)}


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10 and str(int(name)) == name
