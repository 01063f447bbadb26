"""The page of a search holds its pictures, and no code from a file name."""

from PIL import Image

from mmreid_ext.visualization.search_page import save_search_page


def hit(path, file, **changes):
    facts = dict(rank=1, path=path, file=str(file), similarity=0.5, person="", camera="", same="")
    return facts | changes


def test_the_page(tmp_path):
    picture = tmp_path / "a.png"
    Image.new("RGB", (30, 60), (200, 0, 0)).save(picture)
    evil = "<script>alert(1)</script>.png"
    lists = [
        (str(picture), [
            hit("a.png", picture, same="yes, 1 in 100", person="lea", camera="cam 1"),
            hit(evil, tmp_path / evil, person="<b>", same="no"),
        ]),
        (str(picture), []),
    ]  # fmt: skip
    text = save_search_page(tmp_path / "sub" / "page.html", lists, "<mine>").read_text()
    assert "<script" not in text and "<mine>" not in text and "&lt;mine&gt;" in text
    assert text.count("data:image/jpeg;base64,") == 4
    assert "2 queries; 1 picture could not be read" in text
    assert 'class="yes"' in text and 'class="no"' in text and "lea" in text
    assert "nothing was found" in text and "default-src 'none'" in text
