"""Write the reference of the service as one plain page: no script, nothing of another server."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STYLE = Path(__file__).with_name("reference.css")


def reference_page(schema: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        schema: OpenAPI description of the service.
    """
    title = html.escape(schema["info"]["title"])
    body = "\n".join(
        "\n".join(_operation(path, method, operation))
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="stylesheet" href="/docs.css"></head><body>\n'
        f"<h1>{title}</h1>\n<p>{html.escape(schema['info'].get('description', ''))} "
        'For programs: <a href="/openapi.json">openapi.json</a>.</p>\n'
        f"{body}\n</body></html>\n"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2>{method.upper()} {html.escape(path)}</h2>"
    text = " ".join(filter(None, (operation["summary"], operation.get("description"))))
    yield f"<p>{html.escape(text)}</p>"
    contents = operation.get("requestBody", {}).get("content", {})
    if contents:
        yield f"<h3>Send</h3>\n<p>{html.escape(' or '.join(contents))}</p>"
    schema = contents.get("multipart/form-data", {}).get("schema", {})
    if schema:
        yield "<table><tr><th>field</th><th>meaning</th><th>example</th></tr>"
        yield from (
            _field(name, field, name in schema["required"])
            for name, field in schema["properties"].items()
        )
        yield "</table>"
    for status, response in operation["responses"].items():
        yield f"<h3>{status} {html.escape(response['description'])}</h3>"
        for content in response.get("content", {}).values():
            if "example" in content:
                example = json.dumps(content["example"], ensure_ascii=False, indent=2)
                yield f"<pre>{html.escape(example)}</pre>"


def _field(name: str, field: Mapping[str, Any], needed: bool) -> str:
    one = field.get("items", field)
    notes = ["needed"] * needed + ["any number of times"] * ("items" in field)
    meaning = ", ".join([field["description"], *notes])
    example = json.dumps(one["example"]) if "example" in one else ""
    cells = (name, meaning, example.strip('"'))
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
