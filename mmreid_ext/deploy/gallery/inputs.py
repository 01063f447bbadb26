"""Checks of what is given to a gallery: embeddings, columns, moments, filters."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.moments import unix_seconds
from mmreid_ext.setting_checks import is_finite, is_whole
from mmreid_ext.shorten import one_line, shorten

from .records import Filters, Moment, Rows

ROUNDING = 2.0**-11
"""How far from one the length of an embedding may be that is kept bit for bit: what rounding to
float16 can do. So exported embeddings come back as they were."""

T = TypeVar("T")


def matrix_of(values: Any, size: int, name: str, model: str) -> np.ndarray:
    """Return embeddings as a float array, or say which row can't be used.

    Args:
        values: (N, D) of any float or integer type; an empty list is taken as (0, D).
        size: D of the gallery.
        name: What messages call them.
        model: Name of the gallery's model, for messages.

    Raises:
        UserError: For another shape or type, NaN, infinity, or a row of length zero.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UserError(f"{name}: rows differ in length ({one_line(error)}).") from None
    if array.size == 0 and array.ndim == 1:
        array = np.zeros((0, size), dtype=np.float32)
    if array.dtype.kind not in "fiu":
        raise UserTypeError(f"{name} must be an array of numbers, got {array.dtype}.")
    if array.ndim != 2 or array.shape[1] != size:
        raise UserError(
            f"{name} has shape {array.shape}, must be (N, {size}): the gallery holds embeddings "
            f"of {model}."
        )
    return array


def unit_rows(array: np.ndarray, name: str, tolerance: float, first: int = 0) -> np.ndarray:
    """Scale rows to length one, in float32.

    Args:
        array: (N, D), see :func:`matrix_of`.
        name: What messages call it.
        tolerance: Rows whose length differs less from one are left as they are.
        first: Number of the first row, for messages.

    Raises:
        UserError: For NaN, infinity, or a row of length zero; names the row.
    """
    values = array.astype(np.float64)
    lengths = np.sqrt(np.einsum("nd,nd->n", values, values))
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        row = int(bad[0])
        what = "is zero" if lengths[row] == 0 else "holds NaN or infinity"
        raise UserError(
            f"{name}: row {first + row} {what} ({len(bad)} such in all); nothing was taken."
        )
    keep = np.abs(lengths - 1) <= tolerance
    return (values / np.where(keep, 1, lengths)[:, None]).astype(np.float32)


def stored_form(array: np.ndarray, name: str) -> np.ndarray:
    """Return embeddings as they are stored: length one, float16, (N, D)."""
    stored = np.empty(array.shape, dtype=np.float16)
    for start in range(0, len(array), 8192):
        part = slice(start, start + 8192)
        stored[part] = unit_rows(array[part], name, ROUNDING, start)
    return stored


def column(
    values: Sequence[Any] | None, count: int, name: str, check: Callable[[Any, str], T]
) -> list[T | None]:
    """Return a column with one checked entry per embedding; None stands for unknown ones.

    Raises:
        UserError: For another length, or an entry that can't be used.
    """
    if values is None:
        return [None] * count
    if isinstance(values, (str, bytes)):
        raise UserTypeError(f"{name} must be a list with one entry per embedding, got {values!r}.")
    values = list(values)
    if len(values) != count:
        raise UserError(
            f"{name} has {len(values)} entries for {count} embeddings; one each is needed."
        )
    return [
        None if value is None else check(value, f"{name}[{row}]")
        for row, value in enumerate(values)
    ]


def text(value: Any, name: str) -> str:
    """Return a text that isn't empty and can be stored as UTF-8."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise UserTypeError(
            f"{name}={one_line(repr(value))} must be text that is not empty; None means unknown."
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(f"{name}={value!a} is no valid text (UTF-8).") from None
    return str(value)


def moment(value: Moment, name: str) -> float:
    """Return unix seconds; a ``datetime`` without a time zone is taken as UTC."""
    if isinstance(value, dt.datetime):
        return unix_seconds(value)
    if not is_finite(value):
        raise UserTypeError(
            f"{name}={one_line(repr(value))} must be unix seconds or a datetime; a datetime "
            "without a time zone is UTC."
        )
    return float(value)


def content_hash(value: Any, name: str) -> bytes:
    """Return the hash of a picture as bytes, 1 to 64 of them."""
    if not isinstance(value, (bytes, bytearray, memoryview)) or not 1 <= len(value) <= 64:
        raise UserTypeError(f"{name} must be 1 to 64 bytes, got {one_line(repr(value))}.")
    return bytes(value)


def picture(value: Any, name: str) -> bytes:
    """Return the bytes of a JPEG file."""
    if not isinstance(value, (bytes, bytearray, memoryview)) or bytes(value[:2]) != b"\xff\xd8":
        raise UserTypeError(f"{name} must be the bytes of a JPEG file.")
    return bytes(value)


def own_hash(
    embedding: np.ndarray, camera: str | None, time: float | None, source: str | None
) -> bytes:
    """Return the hash of a picture that came without: of all that is known but who it shows."""
    digest = hashlib.blake2b(embedding.tobytes(), digest_size=32, person=b"mmreid_ext")
    for value in (camera, source):
        part = b"" if value is None else value.encode()
        digest.update(struct.pack("<?q", value is not None, len(part)) + part)
    digest.update(struct.pack("<?d", time is not None, time or 0.0))
    return digest.digest()


def checked_rows(embeddings: np.ndarray, name: str, **columns: Sequence[Any] | None) -> Rows:
    """Check what is to be added and bring it into the form of a store.

    Args:
        embeddings: From :func:`matrix_of`.
        name: What messages call them.
        **columns: ``hashes``, ``identities``, ``cameras``, ``times``, ``sources`` and
            ``thumbnails``.
    """
    count = len(embeddings)
    hashes = column(columns["hashes"], count, "hashes", content_hash)
    identities = column(columns["identities"], count, "identities", text)
    cameras = column(columns["cameras"], count, "cameras", text)
    times = column(columns["times"], count, "times", moment)
    sources = column(columns["sources"], count, "sources", text)
    thumbnails = column(columns["thumbnails"], count, "thumbnails", picture)
    stored = stored_form(embeddings, name)
    complete = [
        own_hash(stored[row], cameras[row], times[row], sources[row]) if found is None else found
        for row, found in enumerate(hashes)
    ]
    return Rows(stored, complete, identities, cameras, times, sources, thumbnails)


def checked_filters(filters: Filters | None) -> Filters:
    """Check filters: lists of text, unix seconds."""
    given = filters or Filters()

    def texts(values: Sequence[str] | None, name: str) -> list[str] | None:
        if values is None:
            return None
        if isinstance(values, (str, bytes)):
            raise UserTypeError(f"{name}={values!r} must be a list of names.")
        return [text(value, name) for value in values]

    since, until = (
        None if value is None else moment(value, name)
        for name, value in (("since", given.since), ("until", given.until))
    )
    if since is not None and until is not None and since >= until:
        raise UserError(f"since={since} is not before until={until}: nothing lies between.")
    return Filters(
        texts(given.cameras, "cameras"),
        texts(given.not_cameras, "not_cameras"),
        since,
        until,
        texts(given.identities, "identities"),
    )


def checked_ids(ids: Iterable[int]) -> list[int]:
    """Return ids as a list of int; one that no store could have given becomes -1."""
    given = list(ids)
    wrong = [value for value in given if not is_whole(value, -math.inf)]
    if wrong:
        raise UserTypeError(f"ids must be whole numbers, got {shorten(map(repr, wrong))}.")
    return [int(value) if 0 <= value < 2**63 else -1 for value in given]
