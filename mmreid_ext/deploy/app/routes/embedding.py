"""POST /embed and POST /compare: what needs no gallery."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.requests.endpoint import form_endpoint
from mmreid_ext.deploy.app.requests.json_answers import answer
from mmreid_ext.deploy.app.requests.multipart import Form
from mmreid_ext.deploy.app.service import Service
from mmreid_ext.verdicts.answers import judge

from .describe import errors, file_field, form, success
from .schemas import Compared, Embedded

EMBED: dict[str, Any] = {
    "summary": "Embeddings of pictures",
    "description": "Rows of unit length, in the order of the pictures.",
    "responses": success(
        Embedded, {"size": 4, "model": "best.pth (1f3a)", "embeddings": [[0.5, -0.5, 0.5, 0.5]]}
    )
    | errors(400, 413, 415, 422),
    "openapi_extra": form({"images": file_field("pictures", True)}, ["images"], raw=True),
}
COMPARE: dict[str, Any] = {
    "summary": "Do two pictures show one person?",
    "description": "One answer per threshold of the model; null where it doesn't know one.",
    "responses": success(
        Compared,
        {
            "similarity": 0.71,
            "answers": [{"same": True, "fpr": 0.001, "similarity": 0.62, "tpr": 0.81}],
        },
    )
    | errors(400, 413, 415, 422),
    "openapi_extra": form({"a": file_field("a picture"), "b": file_field("another")}, ["a", "b"]),
}


def add_embedding(app: FastAPI, service: Service) -> None:
    """Add the addresses.

    Args:
        app: The application.
        service: Does the work.
    """
    info = service.embedder.info
    name, size = info.name, info.size

    async def embed(sent: Form) -> Response:
        sent.require({"images": service.settings.max_images}, {})
        rows, _ = await service.embed(sent.uploads)
        return answer({"size": size, "model": name, "embeddings": rows.tolist()})

    async def compare(sent: Form) -> Response:
        sent.require({"a": 1, "b": 1}, {})
        rows, _ = await service.embed(sorted(sent.uploads, key=lambda upload: upload.name))
        found = judge(float(rows[0] @ rows[1]), service.thresholds)
        answers = [
            {
                "same": one.same,
                "fpr": one.threshold.fpr,
                "similarity": one.threshold.similarity,
                "tpr": one.threshold.tpr,
            }
            for one in found.answers
        ]
        return answer({"similarity": found.similarity, "answers": answers})

    raw = form_endpoint(service, embed, raw="images")
    app.add_api_route("/embed", raw, methods=["POST"], **EMBED)
    app.add_api_route("/compare", form_endpoint(service, compare), methods=["POST"], **COMPARE)
