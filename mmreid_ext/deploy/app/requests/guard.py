"""Stand before all of the application: who may ask, what is counted, what each answer says."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from mmreid_ext.deploy.app.auth import (
    KEY_VARIABLE,
    LOCAL_NAMES,
    holds_key,
    host_name,
    is_foreign_page,
    is_local_client,
)
from mmreid_ext.deploy.app.metrics import Metrics
from mmreid_ext.deploy.app.refusals import Refusal

from .json_answers import error_answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("mmreid_ext.service")

MISTAKE = "The service has made a mistake; its log has the details."

_OPEN = ("/", "/health", "/docs", "/docs.css", "/openapi.json")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""Of every answer that doesn't set them itself."""


class Guard:
    """Checks each request before the application sees it, and counts its answer.

    Args:
        app: The application.
        key: API key. None: only this machine may ask, and no page of another site.
        metrics: Counts.
    """

    def __init__(self, app: ASGIApp, key: str | None, metrics: Metrics) -> None:
        self.app = app
        self.key = key
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; all else, such as the start, is the application's."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status, started = time.perf_counter(), 500, False

        async def sending(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = message.setdefault("headers", [])
                there = {name.lower() for name, _ in headers}
                message["headers"] = [*headers, *(h for h in _HEADERS if h[0] not in there)]
            await send(message)

        try:
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            try:
                self.check(scope, headers)
            except Refusal as refusal:
                await error_answer(refusal)(scope, receive, sending)
                return
            await self.app(scope, receive, sending)
        # A bug of ours is for the log; the client gets a sentence, and the service goes on.
        except Exception:
            LOGGER.exception("A request to %s failed.", scope["method"])
            if started:
                raise
            await error_answer(Refusal(500, MISTAKE))(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - begin
            self.metrics.answered(route, scope["method"], status, seconds)
            LOGGER.debug("%s %s %d %.0f ms", scope["method"], route, status, 1000 * seconds)

    def check(self, scope: Scope, headers: dict[bytes, str]) -> None:
        """Refuse who may not ask.

        Args:
            scope: The request.
            headers: Of the request.

        Raises:
            Refusal: 401, 403 or 421.
        """
        path: str = scope["path"]
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:
            raise Refusal(400, "The request has several headers Host; send one.")
        if self.key is not None:
            is_open = path in _OPEN or path.startswith("/page/")
            if not is_open and not holds_key(headers.get(b"authorization"), self.key):
                raise Refusal(
                    401,
                    "This service needs its API key: send the header Authorization: Bearer KEY.",
                    {"WWW-Authenticate": "Bearer"},
                )
            return
        client: Any = scope.get("client")
        if not is_local_client(client[0] if client else None):
            raise Refusal(
                403,
                "Without an API key, this service answers its own machine only; "
                f"set {KEY_VARIABLE} and start it again.",
            )
        host = headers.get(b"host", "").lower()
        if host_name(host) not in LOCAL_NAMES:
            raise Refusal(
                421, "Without an API key, this service is called localhost or 127.0.0.1 only."
            )
        visit = scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == "navigate"
        foreign = is_foreign_page(headers.get(b"origin"), headers.get(b"sec-fetch-site"), host)
        if foreign and not (visit and path in _OPEN):
            raise Refusal(403, "A page of another site may not use this service.")
