"""POST /search: the pictures of the gallery that look most like one."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.endpoint import form_endpoint
from mmreid_ext.deploy.app.requests.form_values import box, flag, moment, person, whole
from mmreid_ext.deploy.app.requests.json_answers import answer
from mmreid_ext.deploy.app.requests.multipart import MAX_FIELDS, Form, base_name
from mmreid_ext.deploy.app.service import Service
from mmreid_ext.moments import iso

from .describe import errors, file_field, form, success, text_field
from .schemas import Searched

_TOPK = 10
_CANDIDATES = 100
_FIELDS = {
    "box": 1,
    "topk": 1,
    "camera": MAX_FIELDS,
    "not_camera": MAX_FIELDS,
    "since": 1,
    "until": 1,
    "identity": MAX_FIELDS,
    "rerank": 1,
}
_MATCH = {
    "id": 7,
    "similarity": 0.83,
    "identity": "anna",
    "camera": "gate",
    "time": "2026-05-31T14:02:11Z",
    "source": "0001.jpg",
    "same": True,
    "thumbnail": "/thumbnail/7",
}
_PROPERTIES = {
    "image": file_field("the picture"),
    "box": text_field("the person in it: x,y,w,h in pixels", "10,20,64,128"),
    "topk": text_field("how many matches", 10, kind="integer"),
    "camera": text_field("only these cameras", "gate", several=True),
    "not_camera": text_field("none of these cameras", "yard", several=True),
    "since": text_field("not before: ISO 8601, or seconds since 1970", "2026-05-31T14:00:00Z"),
    "until": text_field("before this", "2026-06-01T00:00:00Z"),
    "identity": text_field("only these people", "anna", several=True),
    "rerank": text_field("order by k-reciprocal neighbours", False, kind="boolean"),
}
SEARCH: dict[str, Any] = {
    "summary": "Find a person in the gallery",
    "description": "Best match first. `same` says on which side of `threshold` a match is.",
    "responses": success(
        Searched, {"matches": [_MATCH], "threshold": {"fpr": 0.001, "similarity": 0.62}}
    )
    | errors(400, 404, 413, 415, 422),
    "openapi_extra": form(_PROPERTIES, ["image"]),
}


def read_filters(sent: Form) -> dict[str, Any]:
    """Return what the gallery's ``Filters`` take.

    Args:
        sent: Form with ``camera``, ``not_camera``, ``identity``, ``since`` and ``until``.

    Raises:
        Refusal: 400 for a value that can't be read, and a time window without a moment.
    """
    names = {
        key: [person(key, text) for text in sent.many(key)] or None
        for key in ("camera", "not_camera", "identity")
    }
    since, until = moment("since", sent.one("since")), moment("until", sent.one("until"))
    if since is not None and until is not None and until <= since:
        raise Refusal(400, f"until={iso(until)} is not after since={iso(since)}; correct them.")
    return {
        "cameras": names["camera"],
        "not_cameras": names["not_camera"],
        "identities": names["identity"],
        "since": since,
        "until": until,
    }


def shown_match(hit: Any, line: float | None) -> dict[str, Any]:
    """Return a match as clients see it.

    Args:
        hit: What the gallery found.
        line: Similarity from which on it counts as the same person; None: unknown.
    """
    return {
        "id": hit.id,
        "similarity": float(hit.similarity),
        "identity": hit.identity,
        "camera": hit.camera,
        "time": iso(hit.time),
        "source": None if hit.source is None else base_name(hit.source),
        "same": None if line is None else bool(hit.similarity >= line),
        "thumbnail": f"/thumbnail/{hit.id}" if hit.has_thumbnail else None,
    }


def add_searching(app: FastAPI, service: Service) -> None:
    """Add the address.

    Args:
        app: The application.
        service: Does the work.
    """
    line = service.threshold
    from_line_on = None if line is None else line.similarity
    shown_line = None if line is None else {"fpr": line.fpr, "similarity": line.similarity}

    async def search(sent: Form) -> Response:
        gallery, settings = service.gallery, service.settings
        sent.require({"image": 1}, _FIELDS)
        topk = whole("topk", sent.one("topk"), _TOPK, settings.max_topk)
        candidates = None
        if flag("rerank", sent.one("rerank")):
            candidates = min(max(_CANDIDATES, topk), settings.max_candidates)
        options = search_options(topk, read_filters(sent), candidates)
        rows, _ = await service.embed(sent.uploads, box(sent.one("box")))
        (hits,) = await service.ask(gallery.search, rows, **options)
        matches = [shown_match(hit, from_line_on) for hit in hits]
        return answer({"matches": matches, "threshold": shown_line})

    app.add_api_route("/search", form_endpoint(service, search), methods=["POST"], **SEARCH)


def search_options(topk: int, filters: dict[str, Any], candidates: int | None) -> dict[str, Any]:
    """Return the arguments of ``Gallery.search``.

    Args:
        topk: Most matches.
        filters: See :func:`read_filters`.
        candidates: How many are re-ranked; None: no re-ranking.
    """
    from mmreid_ext.deploy.gallery import Filters, RerankOptions

    rerank = None if candidates is None else RerankOptions(n=candidates)
    return {"topk": topk, "filters": Filters(**filters), "rerank": rerank}
