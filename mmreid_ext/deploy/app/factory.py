"""Put the application together."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from mmreid_ext.deploy.gallery.model_identity import model_of, require_same_model
from mmreid_ext.version import __version__

from .requests.endpoint import add_error_answers
from .requests.guard import Guard
from .routes.embedding import add_embedding
from .routes.enrolling import add_enrolling
from .routes.looking import add_looking
from .routes.pages import add_pages
from .routes.searching import add_searching
from .routes.watching import add_watching
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from mmreid_ext.deploy import Embedder, Gallery

TITLE = "Person re-identification"
DESCRIPTION = (
    "Pictures of people in; embeddings, answers and matches out. Errors are "
    '{"detail": "one sentence"}.'
)


def build_app(
    model: str | os.PathLike | Embedder,
    gallery: str | os.PathLike | Gallery | None,
    api_key: str | None,
    settings: Settings,
) -> FastAPI:
    """Return the application; see :func:`mmreid_ext.deploy.app.create_app`."""
    if isinstance(model, (str, os.PathLike)):
        from mmreid_ext.deploy import Embedder

        model = Embedder(model, threads=None, batch_size=settings.batch)
    owned = isinstance(gallery, (str, os.PathLike))
    if isinstance(gallery, (str, os.PathLike)):
        from mmreid_ext.deploy import Gallery

        gallery = Gallery(os.fspath(gallery), model=model.info)
    elif gallery is not None:
        require_same_model(gallery.model, model_of(model.info), gallery.place)
    service = Service(model, gallery, settings, owns_gallery=owned)
    app = _application(service)
    for add in (add_embedding, add_searching, add_enrolling, add_looking, add_watching):
        add(app, service)
    add_pages(app)
    add_error_answers(app)
    app.add_middleware(Guard, key=api_key, metrics=service.metrics)
    app.state.service = service
    service.warm_up()
    return app


def _application(service: Service) -> FastAPI:
    """Return an application without addresses that ends together with the service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    return FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
