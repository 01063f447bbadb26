"""Write ranked lists as one HTML page that needs nothing but itself."""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.protocols.camera_label import camera_label
from mmreid_ext.shorten import several

from .ranked_lists import RankedList, RankedLists, check_paths, with_known_cameras
from .thumbnails import ThumbnailReader

_HISTOGRAM_BINS = 20


def save_ranked_list_html(
    path: str | os.PathLike,
    ranked: RankedLists,
    query_paths: Sequence[str],
    gallery_paths: Sequence[str],
    *,
    image_root: str | os.PathLike = "",
    title: str = "Ranked lists",
    thumbnail_height: int = 128,
    aspect_ratio: float = 0.5,
) -> Path:
    """Write the ranked lists as a page to filter, sort and page through.

    The page is one file: styles, script and thumbnails are inside, and its own security policy
    forbids it to load anything else, so that it can be mailed and opened without a network. Each
    picture is stored once however many lists show it. It holds pictures of people: treat it as the
    data set's terms ask.

    Args:
        path: The file to write; missing folders are made.
        ranked: From :func:`rank_queries`.
        query_paths: Image file of each query, shape (Q,).
        gallery_paths: Image file of each gallery image, shape (G,).
        image_root: Folder that relative paths start from. The page never shows it.
        title: Heading of the page.
        thumbnail_height: Stored height of the pictures in pixels. Defaults to 128.
        aspect_ratio: Width over height of the frames. Defaults to 0.5, as persons are cropped.

    Returns:
        The path written.

    Raises:
        ValueError: If the paths don't correspond to the queries and the gallery.
    """
    check_paths(ranked, query_paths, gallery_paths)
    ranked = with_known_cameras(ranked)
    reader = ThumbnailReader(image_root, thumbnail_height, aspect_ratio)
    page = _page_data(ranked, query_paths, gallery_paths, reader)
    page |= {"title": title, "aspect_ratio": aspect_ratio}
    page["notes"] = report_notes(ranked, len(reader.missing))
    assets = files(__package__) / "assets"
    styles, script = ["page.css", "ranked_list.css"], ["ranked_list.js", "ranked_list_head.js"]
    text = Template((assets / "ranked_list.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        css="\n".join((assets / name).read_text("utf-8") for name in styles),
        script="\n".join((assets / name).read_text("utf-8") for name in script),
        data=_json_for_html(page),
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if reader.missing:
        print_log(
            f"{path}: {several(len(reader.missing), 'image file')} could not be read, the first "
            f"is {str(reader.root / reader.missing[0])!r}. Relative paths start from image_root "
            "(--image-root).",
            logger="current",
            level=logging.WARNING,
        )
    return path


def report_notes(ranked: RankedLists, num_missing: int) -> list[str]:
    """Say what a reader of the pictures has to know, a sentence or two each."""
    first = ranked.lists[0]
    valid = int(np.isfinite(first.all_ap).sum())
    has_cameras = ranked.query_camids is not None or ranked.gallery_camids is not None
    notes = [
        "Scores are over all valid queries, in percent; the lists below show "
        f"{len(ranked.queries)} of {valid}, chosen by worst AP ({first.name.lower()}).",
        f"Under each picture: its distance to the query{', then its camera' * has_cameras}. A "
        "solid frame with ✓ is a match, a dashed frame with ✗ another identity."
        + " Cameras are counted from 1."
        * has_cameras,
    ]
    if len(ranked.lists) > 1:
        notes.append(
            "▲ and ▼: ranks gained or lost by re-ranking; “new”: it was not in the shown part "
            "before."
        )
    if ranked.num_removed.any():
        notes.append(
            "Not shown, because the protocol removes them: gallery images of the query's own "
            "identity in its own camera (“removed” beside the query says how many)."
        )
    if ranked.num_junk:
        images = several(ranked.num_junk, "gallery image")
        notes.append(f"Not shown in any list: {images} marked as junk (pid -1).")
    if valid < len(first.all_ap):
        notes.append(f"Left out: {several(len(first.all_ap) - valid, 'query')} without any match.")
    if num_missing:
        notes.append(
            f"{several(num_missing, 'image file')} could not be read; a crossed box stands in."
        )
    return notes


class _Pictures:
    """Describe pictures for the script; each file is stored once, in a table of thumbnails."""

    def __init__(self, ranked: RankedLists, reader: ThumbnailReader) -> None:
        self.ranked, self.reader = ranked, reader
        self.thumbnails: list[str] = []
        self._places: dict[str, int] = {}  # in the table, by path

    def describe(self, path: str, pid: int, camids: np.ndarray | None, row: int) -> dict[str, Any]:
        """Name a picture's thumbnail, path, identity and camera."""
        camid = None if camids is None else int(camids[row])
        return {
            "thumb": self._place(path),
            "path": path,
            "pid": int(pid),
            "camid": camid,
            "camera": "" if camid is None else camera_label(camid),
            "person": self.ranked.person(pid),
        }

    def _place(self, path: str) -> int:
        jpeg = self.reader.base64_jpeg(path)
        key = "" if path in self.reader.missing else path  # one stand-in for all of these
        if key not in self._places:
            self._places[key] = len(self.thumbnails)
            self.thumbnails.append(jpeg)
        return self._places[key]


def _page_data(
    ranked: RankedLists,
    query_paths: Sequence[str],
    gallery_paths: Sequence[str],
    reader: ThumbnailReader,
) -> dict[str, Any]:
    """Everything the script needs; thumbnails and gallery images stand in tables of their own."""
    pictures = _Pictures(ranked, reader)
    distractors = ranked.gallery_distractors
    pids, camids = ranked.gallery_pids, ranked.gallery_camids
    shown = np.unique(np.concatenate([entry.indices.ravel() for entry in ranked.lists]))
    shown = shown[shown >= 0]
    gallery = [
        pictures.describe(str(gallery_paths[row]), pids[row], camids, row)
        | {"distractor": distractors is not None and bool(distractors[row])}
        for row in shown
    ]
    position = {int(row): place for place, row in enumerate(shown)}
    pids, camids = ranked.query_pids, ranked.query_camids
    queries = [
        {"picture": pictures.describe(str(query_paths[row]), pids[row], camids, row)}
        | _one_query(ranked, place, position)
        for place, row in enumerate(ranked.queries)
    ]
    return {
        "subtitle": _subtitle(ranked),
        "topk": ranked.topk,
        "lists": [_list_head(entry) for entry in ranked.lists],
        "gallery": gallery,
        "queries": queries,
        "thumbnails": pictures.thumbnails,
    }


def _one_query(ranked: RankedLists, place: int, position: dict[int, int]) -> dict[str, Any]:
    return {
        "matches": int(ranked.num_matches[place]),
        "removed": int(ranked.num_removed[place]),
        "ap": [float(entry.ap[place]) for entry in ranked.lists],
        "first": [int(entry.first_match[place]) for entry in ranked.lists],
        "lists": [_one_list(entry, place, position) for entry in ranked.lists],
    }


def _one_list(entry: RankedList, place: int, position: dict[int, int]) -> list[list]:
    return [
        [position[int(row)], round(float(distance), 5), bool(match)]
        for row, distance, match in zip(
            entry.indices[place], entry.distances[place], entry.matches[place], strict=True
        )
        if row >= 0
    ]


def _list_head(entry: RankedList) -> dict[str, Any]:
    ap = entry.all_ap[np.isfinite(entry.all_ap)]
    counts, _ = np.histogram(ap, bins=_HISTOGRAM_BINS, range=(0.0, 1.0))
    return {
        "name": entry.name,
        "distance": entry.distance,
        "scores": {key: float(value) for key, value in entry.scores.items()},
        "ap_histogram": counts.tolist(),
    }


def _subtitle(ranked: RankedLists) -> str:
    valid = int(np.isfinite(ranked.lists[0].all_ap).sum())
    return (
        f"{len(ranked.queries):,} of {valid:,} queries by worst AP · gallery of "
        f"{len(ranked.gallery_pids):,} images · {ranked.lists[0].distance}"
    )


def _json_for_html(value: Any) -> str:
    """JSON that can't end the script element it stands in, whatever the file names hold."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
