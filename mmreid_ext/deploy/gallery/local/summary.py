"""Numbers about a gallery file."""

from __future__ import annotations

import os
from collections.abc import Callable

from mmreid_ext.deploy.gallery.records import GalleryInfo, GalleryModel

PEOPLE = (
    "SELECT identity, count(*) FROM images WHERE identity IS NOT NULL "
    "GROUP BY identity ORDER BY identity"
)
CAMERAS = (
    "SELECT camera, count(*) FROM images INDEXED BY by_time WHERE camera IS NOT NULL "
    "GROUP BY camera ORDER BY camera"
)


def summarise(
    read: Callable[[str], list[tuple]], place: str, file: str, model: GalleryModel
) -> GalleryInfo:
    """Summarise a gallery file.

    Args:
        read: Runs a statement and returns all rows.
        place: The file, as it was given.
        file: Its whole path.
        model: Whose embeddings it holds.
    """
    rows, named, first, last = read(
        "SELECT (SELECT count(*) FROM images), (SELECT count(identity) FROM images), "
        "(SELECT min(time) FROM images), (SELECT max(time) FROM images)"
    )[0]
    files = (file, f"{file}-wal")
    return GalleryInfo(
        place=place,
        rows=rows,
        identities=len(read(PEOPLE)),
        cameras=len(read(CAMERAS)),
        unnamed=rows - named,
        thumbnails=read("SELECT count(*) FROM thumbnails")[0][0],
        first=first,
        last=last,
        size=model.size,
        model=model,
        bytes=sum(os.path.getsize(one) for one in files if os.path.exists(one)),
        version=read("PRAGMA user_version")[0][0],
    )
