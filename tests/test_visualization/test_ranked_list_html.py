from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.visualization import rank_queries, ranked_list_html, save_ranked_list_html


class Page(HTMLParser):
    """The elements of a page, and the data that its script reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(text)
        self.data = json.loads(self.texts["data"])

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or tag

    def handle_data(self, data):
        self.texts[self._open] = self.texts.get(self._open, "") + data


@pytest.fixture
def write(people, tmp_path):
    def write(query_paths=None, gallery_paths=None, *, title="Test", **settings):
        ranked = rank_queries(*people.arrays, **{"topk": 5, "limit": 10, **settings})
        paths = (query_paths or people.query_paths, gallery_paths or people.gallery_paths)
        out = tmp_path / "new" / "report.html"
        save_ranked_list_html(out, ranked, *paths, image_root=people.root, title=title)
        text = out.read_text("utf-8")
        return ranked, Page(text), text

    return write


def test_counts_order_and_metrics(write, people):
    ranked, page, _ = write(rerank=True)
    data = page.data
    assert len(data["queries"]) == 10 and len(data["lists"]) == 2
    assert [q["ap"][0] for q in data["queries"]] == sorted(q["ap"][0] for q in data["queries"])
    for place, query in enumerate(data["queries"]):
        row = ranked.queries[place]
        assert query["picture"]["path"] == people.query_paths[row]
        assert query["picture"]["pid"] == people.arrays[2][row]
        assert query["picture"]["camid"] == people.arrays[4][row]
        for entry, shown in zip(ranked.lists, query["lists"], strict=True):
            paths = [data["gallery"][item[0]]["path"] for item in shown]
            assert paths == [people.gallery_paths[i] for i in entry.indices[place]]
            assert [item[2] for item in shown] == entry.matches[place].tolist()
            distances = [item[1] for item in shown]
            np.testing.assert_allclose(distances, entry.distances[place], atol=5e-6)  # 5 digits
    for entry, shown in zip(ranked.lists, data["lists"], strict=True):
        assert shown["scores"] == entry.scores
        assert sum(shown["ap_histogram"]) == np.isfinite(entry.all_ap).sum()


def test_page_needs_nothing_but_itself(write):
    _, page, text = write()
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object"), tag
        assert not {"src", "href", "srcset"} & set(attributes), (tag, attributes)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest|import\(", text)
    policy = [a["content"] for tag, a in page.elements if a.get("http-equiv")]
    assert len(policy) == 1 and policy[0].startswith("default-src 'none'; img-src data:;")


def test_every_picture_is_stored_once(write, people):
    _, page, _ = write(limit=None, rerank=True)
    thumbnails = page.data["thumbnails"]
    assert len(thumbnails) == len(set(thumbnails))
    used = [q["picture"]["thumb"] for q in page.data["queries"]]
    used += [item["thumb"] for item in page.data["gallery"]]
    assert set(used) == set(range(len(thumbnails)))
    picture = page.data["queries"][0]["picture"]
    jpeg = Image.open(io.BytesIO(base64.b64decode(thumbnails[picture["thumb"]])))
    assert jpeg.format == "JPEG" and jpeg.size == (24, 48)
    original = Image.open(people.root / picture["path"]).convert("RGB").getpixel((12, 24))
    # JPEG twice over a flat colour
    assert np.abs(np.subtract(jpeg.getpixel((12, 24)), original)).max() <= 8


def test_names_cannot_become_markup(write, people):
    nasty = "</script><img src=x onerror=alert(1)>\"'&\u2028 $title ${x}.jpg"
    queries = [nasty] * len(people.query_paths)
    title = '<b>R&D</b> "$data"'
    _, page, text = write(queries, title=title)
    assert text.count("<script") == 2 and "<img" not in text and "<b>" not in text
    assert page.data["queries"][0]["picture"]["path"] == nasty
    assert page.data["title"] == title
    assert "<title>&lt;b&gt;R&amp;D&lt;/b&gt; &quot;$data&quot;</title>" in text


def test_names_that_are_not_unicode(write, people):
    name = "caf\udce9.jpg"  # how Python spells a Latin-1 file name on a UTF-8 system
    _, page, _ = write([name] * len(people.query_paths))
    assert page.data["queries"][0]["picture"]["path"] == name


def test_notes_state_what_is_not_shown(write, people):
    missing = ["gone.jpg"] * len(people.query_paths)
    _, page, _ = write(missing)
    notes = " ".join(page.data["notes"])
    assert "2 gallery images marked as junk" in notes
    assert "own identity in its own camera" in notes
    assert "1 image file could not be read" in notes
    assert "show 10 of 23" in notes  # one query has junk alone
    assert "1 query without any match" in notes


def test_files_that_could_not_be_read_are_logged(write, people, monkeypatch):
    lines = []
    monkeypatch.setattr(ranked_list_html, "print_log", lambda text, **_: lines.append(text))
    write()
    assert lines == []
    write(["gone.jpg"] * len(people.query_paths))
    (line,) = lines
    assert "1 image file could not be read" in line and "gone.jpg'" in line
    assert "--image-root" in line


def test_without_cameras_or_reranking(people, tmp_path):
    ranked = rank_queries(*people.arrays[:4], limit=3)
    out = save_ranked_list_html(
        tmp_path / "a.html",
        ranked,
        people.query_paths,
        people.gallery_paths,
        image_root=people.root,
    )
    data = Page(out.read_text("utf-8")).data
    assert data["queries"][0]["picture"]["camid"] is None and len(data["lists"]) == 1
    assert "own camera" not in " ".join(data["notes"])


def test_paths_must_correspond(people, tmp_path):
    ranked = rank_queries(*people.arrays)
    with pytest.raises(ValueError, match="gallery_paths has 3 entries for 48 embeddings"):
        save_ranked_list_html(tmp_path / "a.html", ranked, people.query_paths, ["a", "b", "c"])
    assert not (tmp_path / "a.html").exists()
