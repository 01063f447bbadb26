"""The page about a data set: whole, bounded, and safe from names."""

import re
from html.parser import HTMLParser

import pytest
from helpers.drawn_shop import Shop
from PIL import Image

from mmreid_ext.visualization.dataset_page import page as module
from mmreid_ext.visualization.dataset_page import save_dataset_page


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.found, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def page_of(shop, tmp_path):
    text = save_dataset_page(tmp_path / "out" / "page.html", shop.audit()).read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return text, tags


def test_a_sound_set(shop, tmp_path):
    text, tags = page_of(shop, tmp_path)
    assert "Nothing is wrong with it" in text
    assert [tag for tag, _ in tags.found].count("img") == 0
    assert "Images per camera" in tags.texts and "images per person" in "".join(tags.texts)


def test_findings_show_their_pictures(shop, tmp_path):
    shop.add("copy.jpg", shop.path("train"), "joe", "1", "train")
    shop.add("empty.jpg", b"", "ann", "1", "train")
    text, tags = page_of(shop, tmp_path)
    images = [attrs for tag, attrs in tags.found if tag == "img"]
    assert len(images) == 2 and all(i["src"].startswith("data:image/jpeg;base64,") for i in images)
    assert text.count('class="none"') == 1
    assert "2 faults" in text


def test_names_are_texts(shop, tmp_path):
    name = "<img src=x onerror=alert(1)>\"'&.jpg"
    shop.add(name, Image.new("RGB", (64, 128)), "<script>alert(2)</script>", "1", "train")
    text, tags = page_of(shop, tmp_path)
    assert all("onerror" not in attrs for _, attrs in tags.found)
    assert "script" not in [tag for tag, _ in tags.found]
    titles = [attrs["title"] for tag, attrs in tags.found if tag == "figure"]
    assert str(shop.folder / name) in titles
    assert name in tags.texts and "default-src 'none'" in text


def test_names_that_are_no_text_are_written(shop, tmp_path):
    report = shop.audit()
    report.table.paths[0] = "bad\udcff.jpg"
    report.scan.problems[0] = "x"
    from mmreid_ext.datasets.audit.findings import Finding, Group

    report.findings.append(Finding("unreadable", (Group((0,), "x"),)))
    text = save_dataset_page(tmp_path / "page.html", report).read_text(encoding="utf-8")
    assert "bad\\udcff.jpg" in text


def test_the_number_of_pictures_is_bounded(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_GROUPS", 3)
    for number in range(9):
        picture = Image.new("RGB", (64, 128), (number, 0, 0))
        shop.add(f"{number}.png", picture, "ann", "1", "train")
        shop.add(f"{number}.jpg", shop.path("train"), shop.person("train"), "1", "train")
    text, tags = page_of(shop, tmp_path)
    assert [tag for tag, _ in tags.found].count("img") == 3 + module._PICTURES
    assert "and 6 others, see --json" in text and "and 4 others" in text


def test_pages_are_read_without_a_network(shop, tmp_path):
    text, _ = page_of(shop, tmp_path)
    assert not re.search(r"(?:src|href)=[\"'](?!data:)", text)
    assert "$" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S)
