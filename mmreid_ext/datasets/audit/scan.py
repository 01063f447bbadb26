"""Read every picture once: its bytes, its size, what it looks like from afar."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from mmreid_ext.datasets.checks.first_bytes import no_picture_message, picture_kind, suffix_kind
from mmreid_ext.datasets.checks.image_files import is_remote
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import box_message, crop
from mmreid_ext.pictures.decode import decode
from mmreid_ext.pictures.picture_file import check_picture, read_regular_file

from .table import PictureTable

Progress = Callable[[int, int], None]
_CHUNK = 64  # files per task: long enough to hide the cost of a task
_DIGEST = 16  # bytes; two of a million different files agree with probability 1e-27
_SHORT = 9  # pixels of the picture that is compared from afar, along either side
_LARGE = 1_000_000  # bytes; larger files are decoded at a quarter of their size


class Scan(NamedTuple):
    """What was seen, one entry per row of the table.

    Args:
        digests: Hash of the picture's bytes and box, shape (N,); empty: not read.
        sizes: Width and height in pixels, shape (N, 2); 0: unknown.
        contrasts: Standard deviation of the grey levels, shape (N,); NaN: unknown.
        hashes: What the picture looks like, 128 bits, shape (N, 2), uint64.
        problems: Why a picture can't be used, by row.
        formats: Formats of files whose names promise another one, by row.
        seen: Rows that were looked at; fewer than N if the scan was interrupted.
    """

    digests: np.ndarray
    sizes: np.ndarray
    contrasts: np.ndarray
    hashes: np.ndarray
    problems: dict[int, str]
    formats: dict[int, str]
    seen: int


class _Seen(NamedTuple):
    """What was seen of one picture."""

    digest: bytes = b""
    size: tuple[int, int] = (0, 0)
    contrast: float = float("nan")
    look: tuple[int, int] = (0, 0)
    problem: str = ""
    format: str = ""


def scan(table: PictureTable, workers: int, progress: Progress | None = None) -> Scan:
    """Read the pictures of a table with several threads; each file once, whatever its boxes.

    Ctrl-C ends the scan early; what was seen until then is returned.

    Args:
        table: What to read.
        workers: Number of threads.
        progress: Called as ``progress(done, total)``, in rows.
    """
    count = len(table)
    result = Scan(
        np.zeros(count, dtype=f"S{_DIGEST}"),
        np.zeros((count, 2), dtype=np.int32),
        np.full(count, np.nan, dtype=np.float32),
        np.zeros((count, 2), dtype=np.uint64),
        {}, {}, 0,
    )  # fmt: skip
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future] = deque()
        try:
            for rows in _chunks(table):
                pending.append(pool.submit(_look_at_all, table, rows))
                if len(pending) > 2 * workers:  # bounds the memory
                    done += _store(result, pending.popleft().result())
                    if progress is not None:
                        progress(done, count)
            while pending:
                done += _store(result, pending.popleft().result())
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    return result._replace(seen=done)


def read_part(file: str, box: Sequence[float] | None, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Decode a picture, or the part of it in a box.

    Raises:
        OSError: If it can't be read.
        UserError: If the box doesn't lie in it.
    """
    image = decode(read_regular_file(file), flags)
    return image if box is None else crop(image, box)


def _chunks(table: PictureTable) -> Iterator[list[list[int]]]:
    """Yield rows, those of one file together."""
    by_file: dict[str, list[int]] = {}
    for row, file in enumerate(table.files):
        if file is not None and not is_remote(file):
            by_file.setdefault(file, []).append(row)
    groups = iter(by_file.values())
    while chunk := list(itertools.islice(groups, _CHUNK)):
        yield chunk


def _look_at_all(table: PictureTable, groups: list[list[int]]) -> list[tuple[int, _Seen]]:
    found: list[tuple[int, _Seen]] = []
    for rows in groups:
        found += _look_at(table, rows)
    return found


def _look_at(table: PictureTable, rows: list[int]) -> list[tuple[int, _Seen]]:
    file = str(table.files[rows[0]])
    try:
        content = read_regular_file(file)
        reason = no_picture_message(content[:64])
        if reason:
            raise OSError(reason)
        check_picture(content)
        boxed = any(table.boxes[row] is not None for row in rows)
        reduced = len(content) > _LARGE and not boxed
        flag = cv2.IMREAD_REDUCED_GRAYSCALE_4 if reduced else cv2.IMREAD_GRAYSCALE
        image = decode(content, flag)
    except (OSError, UserError, cv2.error) as error:
        problem = getattr(error, "strerror", None) or str(error)
        return [(row, _Seen(problem=problem)) for row in rows]
    digest = hashlib.blake2b(content, digest_size=_DIGEST)
    kind, promised = picture_kind(content[:64]), suffix_kind(file)
    wrong = f"{kind}, not {promised}" if kind and promised and kind != promised else ""
    scale = 4 if reduced else 1
    return [(row, _describe(image, table.boxes[row], digest, scale, wrong)) for row in rows]


def _describe(
    image: np.ndarray, box: Sequence[float] | None, digest: hashlib.blake2b, scale: int, wrong: str
) -> _Seen:
    height, width = image.shape[:2]
    if box is not None:
        message = box_message(box, (width, height))
        if message:
            return _Seen(digest.digest(), problem=f"box {message}", format=wrong)
        image = crop(image, box)
        digest = digest.copy()
        digest.update(repr(tuple(box)).encode())
        height, width = image.shape[:2]
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = width * scale, height * scale
    return _Seen(digest.digest(), size, float(image.std()), _look(image), format=wrong)


def _look(image: np.ndarray) -> tuple[int, int]:
    """Return 64 bits for the slopes along the rows and 64 for those along the columns."""
    small = cv2.resize(image, (_SHORT, _SHORT), interpolation=cv2.INTER_AREA).astype(np.int16)
    slopes = np.diff(small, axis=1)[:-1] > 0, np.diff(small, axis=0)[:, :-1] > 0
    first, second = (int(np.packbits(part).view(">u8")[0]) for part in slopes)
    return first, second


def _store(result: Scan, found: list[tuple[int, _Seen]]) -> int:
    for row, seen in found:
        result.digests[row] = seen.digest
        result.sizes[row] = seen.size
        result.contrasts[row] = seen.contrast
        result.hashes[row] = seen.look
        for place, text in (
            (result.problems, seen.problem),
            (result.formats, seen.format),
        ):
            if text:
                place[row] = text
    return len(found)
