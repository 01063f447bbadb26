"""POST /enroll, DELETE /person/…, DELETE /image/…: what changes the gallery."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.endpoint import form_endpoint
from mmreid_ext.deploy.app.requests.form_values import MAX_NAME, box, moment, person
from mmreid_ext.deploy.app.requests.json_answers import answer
from mmreid_ext.deploy.app.requests.multipart import Form
from mmreid_ext.deploy.app.service import Service
from mmreid_ext.shorten import one_line

from .describe import errors, file_field, form, success, text_field
from .schemas import Deleted, Enrolled

_FIELDS = {"identity": 1, "camera": 1, "time": 1, "box": 1}
_PROPERTIES = {
    "images": file_field("pictures of one person", several=True),
    "identity": text_field("who it is", "anna"),
    "camera": text_field("which camera", "gate"),
    "time": text_field("ISO 8601, or seconds since 1970", "2026-05-31T14:00:00Z"),
    "box": text_field("the person in the only picture: x,y,w,h", "10,20,64,128"),
}
_LAST_ID = (1 << 63) - 1
_LONGEST = 10 * MAX_NAME

ENROLL: dict[str, Any] = {
    "summary": "Add pictures to the gallery",
    "description": "Keeps embedding, hash, file name and thumbnail; the picture itself is "
    "forgotten. A picture that is known already isn't added again; `conflicts` lists those that "
    "are known as somebody else, and stay so.",
    "responses": success(Enrolled, {"added": 2, "known": 1, "ids": [7, 8, 3], "conflicts": []})
    | errors(400, 404, 413, 415, 422),
    "openapi_extra": form(_PROPERTIES, ["images"]),
}
DELETE_PERSON: dict[str, Any] = {
    "summary": "Forget a person",
    "description": "No vector and no thumbnail of this person stays.",
    "responses": success(Deleted, {"deleted": 12}) | errors(404),
}
DELETE_IMAGE: dict[str, Any] = {
    "summary": "Forget a picture",
    "responses": success(Deleted, {"deleted": 1}) | errors(404),
}


def read_id(text: str) -> int:
    """Read the number of a picture.

    Raises:
        Refusal: 404 if it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _LAST_ID):
        raise Refusal(404, f"There is no picture {one_line(text)!r} in the gallery.")
    return int(text)


def is_a_name(text: str) -> bool:
    """Return whether a gallery may know a person by this name."""
    written = text.encode("utf-8", "ignore").decode() == text  # half a character pair isn't
    return 0 < len(text) <= _LONGEST and "\x00" not in text and written


def add_enrolling(app: FastAPI, service: Service) -> None:
    """Add the addresses.

    Args:
        app: The application.
        service: Does the work.
    """

    async def enroll(sent: Form) -> Response:
        return await _enroll(service, sent)

    async def delete_person(identity: str) -> Response:
        if not is_a_name(identity):
            raise Refusal(404, "There is no person of such a name in the gallery.")
        count = await service.ask(service.writable_gallery.delete, identity=identity)
        if count == 0:
            raise Refusal(404, f"There is no person {one_line(identity)!r} in the gallery.")
        return answer({"deleted": count})

    async def delete_image(image: str) -> Response:
        count = await service.ask(service.writable_gallery.delete, ids=[read_id(image)])
        if count == 0:
            raise Refusal(404, f"There is no picture {image} in the gallery.")
        return answer({"deleted": count})

    app.add_api_route("/enroll", form_endpoint(service, enroll), methods=["POST"], **ENROLL)
    app.add_api_route("/person/{identity:path}", delete_person, methods=["DELETE"], **DELETE_PERSON)
    app.add_api_route("/image/{image}", delete_image, methods=["DELETE"], **DELETE_IMAGE)


async def _enroll(service: Service, sent: Form) -> Response:
    gallery = service.writable_gallery
    sent.require({"images": service.settings.max_images}, _FIELDS)
    place = box(sent.one("box"))
    if place is not None and len(sent.uploads) > 1:
        raise Refusal(400, "A box belongs to one picture; send one picture, or no box.")
    values: dict[str, Any] = {
        "identities": person("identity", sent.one("identity")),
        "cameras": person("camera", sent.one("camera")),
        "times": moment("time", sent.one("time")),
    }
    rows, prepared = await service.embed(sent.uploads, place, keep=True)
    added = await service.ask(
        gallery.add,
        rows,
        hashes=[one.hash for one in prepared],
        sources=[upload.file or None for upload in sent.uploads],
        thumbnails=[one.thumbnail for one in prepared],
        **{name: [value] * len(rows) for name, value in values.items()},
    )
    names = ("added", "known", "ids", "conflicts")
    return answer({name: getattr(added, name) for name in names})
