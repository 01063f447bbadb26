"""Open the store of a gallery: that of a file, or that of a server."""

from __future__ import annotations

from .records import GalleryModel
from .store import Store


def open_store(
    place: str, model: GalleryModel | None, token: str | None, read_only: bool, threads: int | None
) -> Store:
    """Open what a place names; see :class:`.gallery.Gallery`.

    Args:
        place: A file, or the address of a Milvus server.
        model: Whose embeddings it holds; needed for a new one.
        token: Of the server.
        read_only: Whether nothing may be changed.
        threads: Threads that search in a file; a server decides for itself.
    """
    if "://" in place:
        from .milvus import opening

        return opening.open_store(place, model, token, read_only)
    from .local.local_store import LocalStore

    return LocalStore(place, model, read_only=read_only, threads=threads)
