"""Write answers as JSON, quickly: an embedding has hundreds of numbers."""

from __future__ import annotations

from typing import Any

import pydantic_core
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer.

    Args:
        data: Objects, lists, numbers, text and None.
        status: Status of HTTP.
        headers: Further headers.
    """
    return Response(pydantic_core.to_json(data), status, headers, "application/json")


def error_answer(refusal: Refusal) -> Response:
    """Return ``{"detail": "one sentence"}`` under the status of a refusal."""
    return answer({"detail": refusal.sentence}, refusal.status, refusal.headers)
