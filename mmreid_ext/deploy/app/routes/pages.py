"""GET /, GET /page/…, GET /docs and GET /openapi.json: what browsers and programs read first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.json_answers import answer

from .reference import STYLE, reference_page

FOLDER = Path(__file__).resolve().parents[1] / "page"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
"""Nothing of another server, nothing inline, in nobody's frame. ``blob:`` is the chosen picture."""


def page_files(folder: Path = FOLDER) -> dict[str, tuple[bytes, str]]:
    """Return content and type of the page's files by name.

    Args:
        folder: Where they are; nothing else is ever read for a request.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {
        file.name: (file.read_bytes(), _KINDS[file.suffix])
        for file in files
        if file.suffix in _KINDS
    }


def without_own_errors(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI description without the answers of FastAPI that are never given."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            refused = operation["responses"].get("422", {}).get("content", {})
            if "HTTPValidationError" in str(refused):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    return schema


def add_pages(app: FastAPI) -> None:
    """Add the addresses.

    Args:
        app: The application, with all other addresses.
    """
    files = page_files()

    async def file(name: str) -> Response:
        if name not in files:
            raise Refusal(404, "The page has no such file.")
        content, kind = files[name]
        return Response(content, headers=PAGE_HEADERS | {"Content-Type": kind})

    async def index() -> Response:
        return await file("index.html")

    async def reference() -> Response:
        headers = PAGE_HEADERS | {"Content-Type": _KINDS[".html"]}
        return Response(reference_page(without_own_errors(app.openapi())), headers=headers)

    async def style() -> Response:
        return Response(STYLE.read_bytes(), headers=PAGE_HEADERS | {"Content-Type": _KINDS[".css"]})

    async def openapi() -> Response:
        return answer(without_own_errors(app.openapi()))

    for path, endpoint in (
        ("/", index),
        ("/page/{name}", file),
        ("/docs", reference),
        ("/docs.css", style),
        ("/openapi.json", openapi),
    ):
        app.add_api_route(path, endpoint, methods=["GET"], include_in_schema=False)
