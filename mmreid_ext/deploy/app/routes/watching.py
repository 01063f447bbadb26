"""GET /health and GET /metrics: for whoever runs the service."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.metrics import CONTENT_TYPE
from mmreid_ext.deploy.app.refusals import Refusal, busy
from mmreid_ext.deploy.app.requests.json_answers import answer
from mmreid_ext.deploy.app.service import Service

from .describe import errors, success
from .schemas import Health


def add_watching(app: FastAPI, service: Service) -> None:
    """Add the addresses.

    Args:
        app: The application.
        service: Is watched.
    """

    async def health() -> Response:
        if service.batcher.closed:
            raise busy("The service is stopping.")
        return answer({"status": "ok"})

    async def metrics() -> Response:
        rows = None
        if service.has_gallery:
            with suppress(Refusal):  # the rest is wanted most while the gallery has troubles
                rows = (await service.ask(service.gallery.info)).rows
        return Response(service.metrics.text(rows), headers={"Content-Type": CONTENT_TYPE})

    app.add_api_route(
        "/health",
        health,
        methods=["GET"],
        summary="Does the service answer?",
        responses=success(Health, {"status": "ok"}) | errors(503),
    )
    plain: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}
    app.add_api_route(
        "/metrics",
        metrics,
        methods=["GET"],
        summary="Counters for Prometheus",
        responses=plain | errors(503),
        response_class=Response,
    )
