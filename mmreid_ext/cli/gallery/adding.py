"""Add pictures to a gallery: read, hash, embed, keep; those that are there cost no embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mmreid_ext.deploy.gallery.picture_hash import picture_hash
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import crop
from mmreid_ext.pictures.decode import decode
from mmreid_ext.pictures.picture_file import check_picture, read_regular_file, without_alpha
from mmreid_ext.pictures.thumbnail import jpeg_thumbnail

from .listing import Entry
from .progress import CountedProgress

if TYPE_CHECKING:
    from mmreid_ext.deploy import Gallery

    from .models import Model


@dataclass
class Result:
    """What became of the pictures.

    Attributes:
        added: New in the gallery.
        known: Were there before, by their content.
        conflicts: Of these, how many are there under another name than the one given now.
        unreadable: Reason by source of the others.
    """

    added: int = 0
    known: int = 0
    conflicts: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)


class _Read(NamedTuple):
    entry: Entry
    content: bytes
    hash: bytes


def add_entries(
    gallery: Gallery,
    model: Model,
    entries: Sequence[Entry],
    *,
    thumbnails: bool = False,
    batch: int = 64,
    threads: int = 2,
    progress: CountedProgress | None = None,
) -> Result:
    """Add pictures; every batch is there as soon as it is counted.

    Args:
        gallery: Takes them.
        model: Embeds them.
        entries: The pictures.
        thumbnails: Whether a small JPEG of each is kept.
        batch: Pictures of an addition.
        threads: Threads that decode.
        progress: Is told how many are done.
    """
    result, waiting = Result(), iter(entries)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        while part := list(islice(waiting, max(1, batch))):
            read = list(_files(pool.map(_attempt(read_entry), part), part, result))
            found = gallery.find([one.hash for one in read])
            new = [one for one, place in zip(read, found, strict=True) if place is None]
            result.known += len(read) - len(new)
            result.conflicts += _conflicts(gallery, read, found)
            prepared = pool.map(_attempt(lambda one: _prepared(model, one, thumbnails)), new)
            ready = list(_files(prepared, [one.entry for one in new], result))
            if ready:
                _keep(gallery, model, ready, result)
            if progress is not None:
                progress(len(part))
    return result


def read_entry(entry: Entry) -> _Read:
    """Read a picture file.

    Raises:
        OSError: If it can't be read.
    """
    content = read_regular_file(entry.file)
    return _Read(entry, content, picture_hash(content, entry.box))


def picture_of(content: bytes, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Decode a picture and cut the box out of it, (H, W, 3) uint8 in BGR order.

    Raises:
        OSError: If it can't be decoded.
        UserError: If the box isn't in it.
    """
    check_picture(content)
    image = without_alpha(decode(content), content)
    return image if box is None else crop(image, box)


def _prepared(model: Model, one: _Read, thumbnails: bool) -> tuple[_Read, Any, bytes | None]:
    image = picture_of(one.content, one.entry.box)
    return one, model.prepare(image), jpeg_thumbnail(image) if thumbnails else None


def _conflicts(gallery: Gallery, read: Sequence[_Read], found: Sequence[int | None]) -> int:
    given = {
        place: one.entry.identity
        for one, place in zip(read, found, strict=True)
        if place is not None and one.entry.identity is not None
    }
    return sum(hit.identity != given[hit.id] for hit in gallery.get(list(given)))


def _keep(gallery: Gallery, model: Model, ready: list, result: Result) -> None:
    embeddings = model.embed([prepared for _, prepared, _ in ready])
    entries = [one.entry for one, _, _ in ready]
    added = gallery.add(
        embeddings,
        hashes=[one.hash for one, _, _ in ready],
        identities=[entry.identity for entry in entries],
        cameras=[entry.camera for entry in entries],
        times=[entry.time for entry in entries],
        sources=[entry.source for entry in entries],
        thumbnails=[small for _, _, small in ready],
    )
    result.added += added.added
    result.known += added.known
    result.conflicts += len(added.conflicts)


def _attempt(function: Any) -> Any:
    """Return a function that returns its error instead of raising it."""

    def attempted(value: Any) -> Any:
        try:
            return function(value)
        except (OSError, UserError) as error:
            return error

    return attempted


def _files(found: Iterator[Any], entries: Sequence[Entry], result: Result) -> Iterator[Any]:
    for one, entry in zip(found, entries, strict=True):
        if isinstance(one, Exception):
            result.unreadable[entry.source] = getattr(one, "strerror", None) or str(one)
        else:
            yield one
