"""Write the lists of a search as one HTML page that needs nothing but itself."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.shorten import several

from .thumbnails import ThumbnailReader

_THUMBNAIL_HEIGHT = 192

Lists = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]


def save_search_page(path: str | os.PathLike, lists: Lists, title: str = "Search") -> Path:
    """Write a page: each query with the pictures that were found for it.

    The page is one file with styles and thumbnails inside, and its own security policy forbids it
    to load anything. It holds pictures of people: treat it as their terms ask.

    Args:
        path: The file to write; missing folders are made.
        lists: Query file, and for each picture that was found ``rank``, ``path`` (as shown),
            ``file``, ``similarity``, ``person``, ``camera`` and ``same`` (text, perhaps empty).
        title: Heading of the page.

    Returns:
        The path written.
    """
    reader = ThumbnailReader("", _THUMBNAIL_HEIGHT)
    sections = "\n".join(_section(query, hits, reader) for query, hits in lists)
    counts = [several(len(lists), "query")]
    if reader.missing:
        counts.append(f"{several(len(reader.missing), 'picture')} could not be read")
    assets = files(__package__) / "assets"
    text = Template((assets / "search.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        subtitle=html.escape("; ".join(counts)),
        css="\n".join((assets / name).read_text("utf-8") for name in ("page.css", "search.css")),
        sections=sections,
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def _section(query: str, hits: Sequence[Mapping[str, Any]], reader: ThumbnailReader) -> str:
    name = html.escape("/".join(Path(query).parts[-2:]))
    found = "\n".join(_hit(hit, reader) for hit in hits) or "<li>nothing was found</li>"
    return (
        f'<section aria-label="{name}">\n<figure class="query">{_image(query, reader)}'
        f'<figcaption title="{html.escape(query)}">{name}</figcaption></figure>\n'
        f"<ol>\n{found}\n</ol>\n</section>"
    )


def _hit(hit: Mapping[str, Any], reader: ThumbnailReader) -> str:
    same = str(hit["same"])
    kind = "yes" if same.startswith("yes") else "no" if same else "unknown"
    facts = [str(hit[name]) for name in ("person", "camera") if hit[name]]
    lines = [f"<b>{hit['similarity']:.3f}</b>"]
    if same:
        lines.append(f'<span class="same">{html.escape(same)}</span>')
    lines += [f"<span>{html.escape(fact)}</span>" for fact in facts]
    shown = str(hit["path"])
    lines.append(f'<span class="path" title="{html.escape(shown)}">{html.escape(shown)}</span>')
    return (
        f'<li class="{kind}"><figure>{_image(str(hit["file"]), reader)}'
        f"<figcaption>{''.join(lines)}</figcaption></figure></li>"
    )


def _image(file: str, reader: ThumbnailReader) -> str:
    name = html.escape(os.path.basename(file))
    return f'<img alt="{name}" src="data:image/jpeg;base64,{reader.base64_jpeg(file)}">'
