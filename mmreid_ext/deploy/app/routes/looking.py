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


def add_looking(app: FastAPI, service: Service) -> None:
    """Add the addresses.

    Args:
        app: The application.
        service: Does the work.
    """
    info = service.embedder.info
    model = {
        "name": info.name,
        "size": info.size,
        "height": info.height,
        "width": info.width,
        "precision": info.precision,
    }
    thresholds = [
        {"fpr": t.fpr, "similarity": t.similarity, "tpr": t.tpr, "dataset": t.dataset}
        for t in service.thresholds
    ]

    async def gallery() -> Response:
        people = await service.ask(service.gallery.people)
        cameras = await service.ask(service.gallery.cameras)
        shown: dict[str, Any] = {
            "rows": sum(people.values()),
            "people": [{"identity": name, "count": count} for name, count in people.items()],
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

    app.add_api_route(
        "/gallery",
        gallery,
        methods=["GET"],
        summary="People, cameras and model",
        responses=success(GalleryShown, _example(model)) | errors(404),
    )
    app.add_api_route(
        "/thumbnail/{image}",
        thumbnail,
        methods=["GET"],
        summary="Small picture of a match",
        responses={200: {"content": {"image/jpeg": {}}}} | errors(404),
        response_class=Response,
    )


def _example(model: dict[str, Any]) -> dict[str, Any]:
    return {
        "rows": 14,
        "people": [{"identity": "anna", "count": 12}, {"identity": None, "count": 2}],
        "cameras": [{"camera": "gate", "count": 14}],
        "can_write": True,
        "model": model,
        "thresholds": [{"fpr": 0.001, "similarity": 0.62, "tpr": 0.81, "dataset": "Market1501"}],
    }
