"""Describe requests and answers for OpenAPI, with an example of each."""

from __future__ import annotations

from typing import Any

DETAIL = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
REASONS = {
    400: (
        "A part of the request can't be read.",
        "topk='0' must be a whole number from 1 to 1000.",
    ),
    401: ("The API key is missing or wrong.", "This service needs its API key: send the header …"),
    403: ("Not from here.", "A page of another site may not use this service."),
    404: ("Not there.", "This service has no gallery; start it with one: --gallery FILE."),
    413: ("Too large.", "9000 x 9000 pixels are more than 25,000,000; shrink the picture."),
    415: ("Of a type that isn't read.", "images 'a.txt': not a picture; send one of JPEG, PNG, …"),
    422: ("A picture that is broken.", "images 'a.jpg': the file is cut off."),
    503: ("Too much to do.", "512 pictures are being worked on and there is room for 512; …"),
}

_TEXT: dict[str, Any] = {"type": "string"}
_FILE: dict[str, Any] = {"type": "string", "format": "binary"}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe answers that refuse.

    Args:
        statuses: Beside 401, 403 and 503, which every address may give.
    """
    return {
        status: {
            "description": REASONS[status][0],
            "content": {
                "application/json": {"schema": DETAIL, "example": {"detail": REASONS[status][1]}}
            },
        }
        for status in sorted({*statuses, 401, 403, 503})
    }


def success(model: Any, example: Any) -> dict[int | str, dict[str, Any]]:
    """Describe an answer of JSON."""
    return {200: {"model": model, "content": {"application/json": {"example": example}}}}


def file_field(text: str, several: bool = False) -> dict[str, Any]:
    """Describe a picture of a form."""
    return (
        {"type": "array", "items": _FILE, "description": text}
        if several
        else _FILE | {"description": text}
    )


def text_field(text: str, example: Any = None, several: bool = False, kind: str = "string") -> Any:
    """Describe a text of a form.

    Args:
        text: What it means.
        example: A value.
        several: Whether the field may be there several times.
        kind: Type in OpenAPI.
    """
    one = {"type": kind} | ({} if example is None else {"example": example})
    if several:
        return {"type": "array", "items": one, "description": text}
    return one | {"description": text}


def form(properties: dict[str, Any], required: list[str], raw: bool = False) -> dict[str, Any]:
    """Describe the body of a request.

    Args:
        properties: Fields and files by name.
        required: Names of those that must be there.
        raw: Whether one bare picture will do.
    """
    schema = {"type": "object", "properties": properties, "required": required}
    content: dict[str, Any] = {"multipart/form-data": {"schema": schema}}
    if raw:
        content |= {kind: {"schema": _FILE} for kind in ("image/jpeg", "image/png")}
    return {"requestBody": {"required": True, "content": content}}
