"""Lead a request from its first byte to its answer: limits, time, body, errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import cast

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal, busy
from mmreid_ext.deploy.app.service import Service

from .bodies import Held, read_body
from .json_answers import error_answer
from .multipart import Form, Upload, boundary_of, parse_form

LOGGER = logging.getLogger("mmreid_ext.service")

Handle = Callable[[Form], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

_SENTENCES = {
    404: "There is nothing under this address; /docs lists what there is.",
    405: "This address doesn't take this method; /docs says which it takes.",
}


def form_endpoint(service: Service, handle: Handle, raw: str | None = None) -> Endpoint:
    """Return the endpoint of a request with a form.

    Args:
        service: Gives the limits.
        handle: Turns the form into an answer.
        raw: Name of the upload that a body of one bare picture stands for; None: forms only.
    """

    async def run(request: Request) -> Response:
        with service.gate.enter() as held:
            try:
                with anyio.fail_after(service.settings.timeout):
                    return await handle(await _read_form(request, service, held, raw))
            except TimeoutError:
                limit = f"{service.settings.timeout:g} seconds"
                if held.reading:
                    raise Refusal(
                        408,
                        f"The request wasn't there after {limit}; send less at a time.",
                        {"Connection": "close"},
                    ) from None
                raise busy(f"The answer wasn't ready after {limit}; ask again later.") from None
            except ClientDisconnect:
                raise Refusal(400, "The client left before the request was there.") from None

    return run


async def _read_form(request: Request, service: Service, held: Held, raw: str | None) -> Form:
    kind = request.headers.get("content-type", "")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "The body is compressed; send it as it is.")
    boundary = boundary_of(kind)
    plain = kind.partition(";")[0].strip().lower()
    is_raw = plain.startswith("image/") or plain == "application/octet-stream"
    if boundary is None and not (raw and is_raw):
        bare = " or one picture as image/jpeg" if raw else ""
        raise Refusal(415, f"Send a form (multipart/form-data){bare}; curl -F does.")
    length = request.headers.get("content-length")
    body = await read_body(request.stream(), length, service.gate, held)
    if boundary is None:
        return Form([Upload(raw or "", "", body)])
    return parse_form(body, boundary, service.settings.max_images)


def add_error_answers(app: FastAPI) -> None:
    """Let every error of a request end in ``{"detail": "one sentence"}``."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Exception) -> Response:
        return error_answer(cast(Refusal, error))

    @app.exception_handler(HTTPException)
    async def wrong_address(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        headers = dict(getattr(error, "headers", None) or {})
        return error_answer(Refusal(status, _SENTENCES.get(status, str(error)), headers))

    @app.exception_handler(RequestValidationError)
    async def wrong_value(request: Request, error: Exception) -> Response:
        return error_answer(Refusal(400, "A value of the address can't be read."))
