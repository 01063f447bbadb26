"""Open a gallery on a Milvus server, or make it."""

from __future__ import annotations

import time

from mmreid_ext.deploy.gallery.model_identity import require_same_model
from mmreid_ext.deploy.gallery.records import GalleryModel
from mmreid_ext.errors import MissingFileError, UserError

from . import schema
from .server import Address, Server, read_address
from .store import MilvusStore

_LOAD_SECONDS = 600.0
_LOAD_PAUSE = 0.2


def open_store(
    place: str | Address,
    model: GalleryModel | None,
    token: str | None = None,
    read_only: bool = False,
) -> MilvusStore:
    """Open the collection of a gallery; it is made if it isn't there and may be.

    Args:
        place: ``http://host:19530/DATABASE?collection=NAME``.
        model: Whose embeddings it holds; needed for a new one.
        token: ``USER:PASSWORD`` or a key; see :class:`.server.Server`.
        read_only: Whether it must be there and changes are refused.

    Raises:
        UserError: If the server doesn't answer, or the collection holds something else.
        MissingFileError: If there is no such collection, and none may be made.
    """
    server = Server(read_address(place) if isinstance(place, str) else place, token)
    try:
        stored = _stored_model(server, model, read_only)
        require_same_model(stored, model, str(server.address))
        _load(server)
    except BaseException:
        server.close()
        raise
    return MilvusStore(server, stored, read_only)


def _load(server: Server) -> None:
    """Have the server load the collection; a large one takes minutes, and each question seconds."""
    server.call("load_collection", _async=True)
    begun = time.monotonic()
    while _state(server) != "Loaded":
        if time.monotonic() - begun > _LOAD_SECONDS:
            raise UserError(
                f"Gallery: the Milvus server at {server.address.uri} hasn't loaded the collection "
                f"{server.address.collection!r} within {_LOAD_SECONDS:g} s; look at its log and "
                "its memory, then open the gallery again."
            )
        time.sleep(_LOAD_PAUSE)


def _state(server: Server) -> str:
    """Return ``Loaded``, ``Loading``, ``NotLoad`` or ``NotExist``."""
    state = server.call("get_load_state")["state"]
    return str(getattr(state, "name", state))


def _stored_model(server: Server, model: GalleryModel | None, read_only: bool) -> GalleryModel:
    if server.call("has_collection"):
        return schema.read_model(server)
    where = f"there is no collection {server.address.collection!r} at {server.address.uri}"
    if read_only:
        raise MissingFileError(f"Gallery: {where}; name another one: ?collection=NAME.")
    if model is None:
        raise UserError(f"Gallery: {where}, and a new gallery needs model=, such as Embedder.info.")
    try:
        schema.create_collection(server, model)
    except UserError:
        if not server.call("has_collection"):  # somebody else may have been quicker
            raise
    return schema.read_model(server)
