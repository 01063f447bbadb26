"""Read a features file (``.npz``) into the rows of a gallery, a part at a time."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import read_json
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds, threshold_sets

from .records import GalleryModel

_KINDS = dict(pids="iu", camids="iu", datasets="US", names="US", distractors="b", times="f")
_KINDS |= dict(hashes="US", thumbnail_sizes="iu")
"""Type of each column that is read where it is there."""

_SHOWN = 8
"""Characters of a hash in a model's name."""


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    if path.suffix == ".parquet":
        raise UserError(f"{path}: galleries take .npz; let tools/embed.py write that.")
    if not path.is_file():
        raise MissingFileError(f"No features file {path}. Write one with tools/embed.py.")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError:
        raise
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, OSError) as error:
        raise UserError(
            f"{path} is not a features file ({one_line(error)}). Write one with tools/embed.py."
        ) from error


class FeaturesFile:
    """Columns and notes of a features file; :meth:`parts` reads the embeddings.

    Args:
        path: The ``.npz`` file.

    Attributes:
        count: Pictures.
        size: Numbers per embedding.
        model: Whose embeddings they are; None where the file doesn't say.

    Raises:
        UserError: If it is no such file; nothing in it is executed.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.arrays: dict[str, np.ndarray] = {}
        with _archive(self.path) as archive:
            with archive.open("feats.npy") as part:
                (self.count, self.size), _, _ = self._header(part)
                while part.read(1 << 20):  # to the end: the checksum is compared there
                    pass
            for name in archive.namelist():
                key = name.removesuffix(".npy")
                if key in {*_KINDS, "thumbnails"} or key.startswith("note_"):
                    with archive.open(name) as part:
                        self.arrays[key] = np.lib.format.read_array(part, allow_pickle=False)
        for key, kinds in _KINDS.items():
            self._check(key, kinds)
        self.model = self._model()

    def _check(self, key: str, kinds: str) -> None:
        array = self.arrays.get(key)
        if array is None:
            if key in ("pids", "camids"):
                raise UserError(f"{self.path} lacks the array {key!r}: it is no features file.")
            return
        if array.shape != (self.count,) or (array.dtype.kind not in kinds and array.size):
            raise UserError(
                f"{self.path}: {key} has shape {array.shape} and type {array.dtype}; it must have "
                f"one entry for each of {self.count} embeddings."
            )

    def _header(self, part: IO[bytes]) -> tuple[tuple[int, int], bool, np.dtype]:
        version = np.lib.format.read_magic(part)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, kind = read(part)
        if len(shape) != 2 or kind.kind not in "fiu":
            raise UserError(f"{self.path}: feats has shape {shape} and type {kind}, not (N, D).")
        return (int(shape[0]), int(shape[1])), fortran, kind

    def parts(self, batch: int) -> Iterator[np.ndarray]:
        """Yield the embeddings, at most ``batch`` rows at a time, as the file has them."""
        with _archive(self.path) as archive, archive.open("feats.npy") as part:
            (count, size), fortran, kind = self._header(part)
            if fortran:
                with archive.open("feats.npy") as whole:
                    array = np.lib.format.read_array(whole, allow_pickle=False)
                yield from (array[start : start + batch] for start in range(0, count, batch))
                return
            for start in range(0, count, batch):
                rows = min(batch, count - start)
                raw = part.read(rows * size * kind.itemsize)
                yield np.frombuffer(raw, dtype=kind).reshape(rows, size)

    def note(self, key: str) -> Any:
        """Return a note that is JSON; None where it is missing or something else."""
        try:
            return read_json(str(self.arrays.get(f"note_{key}", "null")))
        except ValueError:
            return None

    def _model(self) -> GalleryModel | None:
        told = self.note("checkpoint")
        if not isinstance(told, dict):
            return None
        identity = told.get("weights") or told.get("sha256")
        if not isinstance(identity, str):
            return None
        file = str(told.get("file") or "model")
        short = identity[:_SHOWN]
        name = file if short in file else f"{file} ({short})"
        return GalleryModel(identity, name, self.size, self._thresholds())

    def _thresholds(self) -> tuple[Threshold, ...]:
        known = {"thresholds": self.note("thresholds")}
        by_set = [read_thresholds(known, name) for name in threshold_sets(known)]
        return tuple(one for found in by_set for one in found)

    def columns(self, rows: slice) -> dict[str, list]:
        """Return identities, cameras, times, sources, hashes and thumbnails of some pictures.

        Numbers become text. In a file of several test sets the name of the set goes before them:
        person 5 of one is not person 5 of another.
        """
        sets, names = self._texts("datasets", rows), self._texts("names", rows)
        several = len(set(self._texts("datasets", slice(None)))) > 1
        people, cameras = self._names("pid_names"), self._names("camera_names")
        lone = self.arrays.get("distractors", np.zeros(self.count, dtype=bool))[rows].tolist()
        identities: list[str | None] = []
        places: list[str | None] = []
        for part, pid, camid, nobody in zip(
            sets,
            self.arrays["pids"][rows].tolist(),
            self.arrays["camids"][rows].tolist(),
            lone,
            strict=True,
        ):
            prefix = f"{part}/" if several else ""
            named = people.get(part)
            title = named.get(str(pid)) if isinstance(named, dict) else None
            identities.append(None if pid < 0 or nobody else title or f"{prefix}{pid}")
            camera = cameras.get(str(camid)) or f"{prefix}{camid}"
            places.append(None if camid < 0 else camera)
        times = self.arrays.get("times", np.full(self.count, np.nan))[rows].tolist()
        return dict(
            identities=identities,
            cameras=places,
            times=[None if time != time else time for time in times],
            sources=[name or None for name in names],
            hashes=[self._hash(text) for text in self._texts("hashes", rows)],
            thumbnails=self._thumbnails(rows),
        )

    def _texts(self, key: str, rows: slice) -> list[str]:
        found = self.arrays.get(key)
        if found is None:
            return [""] * len(range(self.count)[rows])
        return [
            t.decode("utf-8", "replace") if isinstance(t, bytes) else t
            for t in found[rows].tolist()
        ]

    def _names(self, key: str) -> dict[str, Any]:
        found = self.note(key)
        return found if isinstance(found, dict) else {}

    def _hash(self, text: str) -> bytes | None:
        try:
            return bytes.fromhex(text) or None
        except ValueError:
            raise UserError(f"{self.path}: {one_line(text)!r} is no hash.") from None

    def _thumbnails(self, rows: slice) -> list[bytes | None]:
        sizes, pictures = (self.arrays.get(key) for key in ("thumbnail_sizes", "thumbnails"))
        if sizes is None or pictures is None:
            return [None] * len(range(self.count)[rows])
        ends = np.cumsum(sizes)
        if pictures.dtype != np.uint8 or (sizes < 0).any() or ends[-1:].sum() != pictures.size:
            raise UserError(f"{self.path}: its thumbnails are damaged.")
        spans = zip((ends - sizes)[rows].tolist(), ends[rows].tolist(), strict=True)
        return [pictures[start:stop].tobytes() or None for start, stop in spans]
