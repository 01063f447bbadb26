"""GET /gallery and GET /thumbnail/…: what the gallery holds."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.json_answers import answer
from mmreid_ext.deploy.app.service import Service

from .describe import errors, success
from .enrolling import read_id
from .schemas import GalleryShown

_MODEL = {"name": "best.pth (1f3a)", "size": 512, "height": 256, "width": 128, "precision": "fp32"}
GALLERY: dict[str, Any] = {
    "summary": "People, cameras and model",
    "responses": success(
        GalleryShown,
        {
            "rows": 14,
            "people": [{"identity": "anna", "count": 12}, {"identity": "tom", "count": 2}],
            "cameras": [{"camera": "gate", "count": 14}],
            "can_write": True,
            "model": _MODEL,
            "thresholds": [
                {"fpr": 0.001, "similarity": 0.62, "tpr": 0.81, "dataset": "Market1501"}
            ],
        },
    )
    | errors(404),
}
THUMBNAIL: dict[str, Any] = {
    "summary": "Small picture of a match",
    "responses": {200: {"content": {"image/jpeg": {}}}} | errors(404),
    "response_class": Response,
}


def add_looking(app: FastAPI, service: Service) -> None:
    """Add the addresses.

    Args:
        app: The application.
        service: Does the work.
    """
    model = {name: getattr(service.embedder.info, name) for name in _MODEL}
    names = ("fpr", "similarity", "tpr", "dataset")
    thresholds = [{name: getattr(t, name) for name in names} for t in service.thresholds]

    async def gallery() -> Response:
        info = await service.ask(service.gallery.info)
        named = await service.ask(service.gallery.people)
        people: list[tuple[str | None, int]] = list(named.items())
        cameras = await service.ask(service.gallery.cameras)
        if info.unnamed:
            people.append((None, info.unnamed))
        shown: dict[str, Any] = {
            "rows": info.rows,
            "people": [{"identity": name, "count": count} for name, count in people],
            "cameras": [{"camera": name, "count": count} for name, count in cameras.items()],
            "can_write": service.can_write,
            "model": model,
            "thresholds": thresholds,
        }
        return answer(shown)

    async def thumbnail(image: str) -> Response:
        content = await service.ask(service.gallery.thumbnail, read_id(image))
        if content is None:
            raise Refusal(404, f"There is no thumbnail of picture {image}.")
        return Response(content, media_type="image/jpeg")

    app.add_api_route("/gallery", gallery, methods=["GET"], **GALLERY)
    app.add_api_route("/thumbnail/{image}", thumbnail, methods=["GET"], **THUMBNAIL)
