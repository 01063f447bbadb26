"""The service: one ASGI application around a model and a gallery."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mmreid_ext.errors import MissingPackageError, UserError

from .auth import check_key, read_key
from .settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from mmreid_ext.deploy import Embedder, Gallery

__all__ = ["Settings", "create_app", "create_app_from_environment"]

MODEL_VARIABLE, GALLERY_VARIABLE = "MMREID_MODEL", "MMREID_GALLERY"
_DEFAULTS = Settings()


def create_app(
    model: str | os.PathLike | Embedder,
    gallery: str | os.PathLike | Gallery | None = None,
    *,
    api_key: str | None = None,
    settings: Settings = _DEFAULTS,
) -> FastAPI:
    """Return the service as an ASGI application, for ``uvicorn`` and any other server.

    Args:
        model: File of an exported model, ``.onnx`` or ``.xml``, or an ``Embedder``.
        gallery: File or address of a gallery, or a ``Gallery``; None: embedding and comparing only.
            A file or address is opened for this model and closed when the service ends.
        api_key: Requests must have the header ``Authorization: Bearer KEY``. None: this machine may
            ask and nobody else, under the names localhost and 127.0.0.1.
        settings: Limits.

    Raises:
        MissingPackageError: If a package of the extra ``[serve]`` is not installed.
        UserError: If the gallery was made with another model (the message names both), or the key
            is too short.
    """
    if api_key is not None:
        check_key(api_key, "api_key")
    try:
        from .factory import build_app
    except ImportError as error:
        if isinstance(error, UserError):
            raise
        raise MissingPackageError(
            f"The service needs the package {error.name}; pip install 'mmreid_ext[serve]'."
        ) from None
    return build_app(model, gallery, api_key, settings)


def create_app_from_environment() -> FastAPI:
    """Return the service that environment variables describe, for containers and clusters.

    ``MMREID_MODEL`` names the exported model, ``MMREID_GALLERY`` the gallery (none: no gallery),
    ``MMREID_API_KEY`` holds the key. ``uvicorn --factory`` takes this function.

    Raises:
        UserError: If ``MMREID_MODEL`` is not set, and as :func:`create_app`.
    """
    model = os.environ.get(MODEL_VARIABLE)
    if not model:
        raise UserError(f"{MODEL_VARIABLE} is not set; set it to the file of an exported model.")
    return create_app(model, os.environ.get(GALLERY_VARIABLE) or None, api_key=read_key(None))
