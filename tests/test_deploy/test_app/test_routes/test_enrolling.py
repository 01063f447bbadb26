import hashlib
from urllib.parse import quote

import pytest
from helpers.fake_deploy import FakeEmbedder, FakeGallery, client_of, drawn, file_of

from mmreid_ext.deploy.app import create_app
from mmreid_ext.deploy.app.uploads import decode_upload


def files(*numbers, folder=""):
    return [("images", (f"{folder}{n}.png", file_of(drawn(n)))) for n in numbers]


def enroll(client, *numbers, **fields):
    return client.post("/enroll", files=files(*numbers), data=fields)


def test_pictures_leave_embedding_hash_name_and_thumbnail_only(client, gallery):
    sent = {"identity": "anna", "camera": "gate", "time": "2026-05-31T12:00:00Z"}
    answer = client.post("/enroll", files=files(1, 2, folder="C:\\me\\"), data=sent)
    assert answer.json() == {"added": 2, "known": 0, "ids": [1, 2], "conflicts": []}
    row = vars(gallery.rows[1])
    assert row.pop("row").shape == (12,)
    assert decode_upload(row.pop("thumbnails"), 10_000).shape == (32, 16, 3)
    assert row == {
        "hashes": hashlib.sha256(file_of(drawn(1))).digest(),
        "identities": "anna",
        "cameras": "gate",
        "times": 1780228800.0,
        "sources": "1.png",
    }


def test_a_picture_is_added_once(client):
    enroll(client, 1)
    assert enroll(client, 1, 2).json()["ids"] == [1, 2]


def test_what_is_unknown_stays_unknown(client, gallery):
    enroll(client, 1, identity="  ")
    row = gallery.rows[1]
    assert row.identities is row.cameras is row.times is None


def test_a_box_belongs_to_one_picture(client, gallery):
    assert enroll(client, 1, box="0,0,16,32").status_code == 200
    assert gallery.rows[1].hashes != hashlib.sha256(file_of(drawn(1))).digest()
    answer = enroll(client, 1, 2, box="0,0,16,32")
    assert answer.status_code == 400 and "one picture" in answer.json()["detail"]


def test_one_broken_picture_enrols_none(client, gallery):
    sent = [*files(1), ("images", ("b.png", b"\x89PNG\r\n\x1a\n"))]
    assert client.post("/enroll", files=sent).status_code == 422
    assert gallery.rows == {}


@pytest.mark.parametrize("name", ["a\nb", "x\u202egnp", "..", "n" * 201])
def test_names_that_cannot_be_shown_are_refused(client, gallery, name):
    answer = enroll(client, 1, identity=name)
    assert answer.status_code == 400 and "identity" in answer.json()["detail"]
    assert gallery.rows == {}


@pytest.mark.parametrize(
    "name", ["anna", "a/b", "Änna Bö", "李四", "50% off?#x", "/slash", "a//b", "a+b"]
)
def test_a_person_is_forgotten_whatever_the_name(client, gallery, name):
    enroll(client, 1, 2, identity=name)
    enroll(client, 3, identity="other")
    answer = client.delete(f"/person/{quote(name, safe='')}")
    assert answer.json() == {"deleted": 2}
    assert [row.identities for row in gallery.rows.values()] == ["other"]
    again = client.delete(f"/person/{quote(name, safe='')}")
    assert again.status_code == 404 and "no person" in again.json()["detail"]


@pytest.mark.parametrize("name", ["", "%00", "a%00b", "x" * 2001])
def test_what_is_no_name_is_not_there(client, gallery, name):
    asked = []
    gallery.delete = lambda **names: asked.append(names) or 1
    answer = client.delete(f"/person/{name}")
    assert answer.status_code == 404 and answer.json()["detail"].endswith(".")
    assert asked == []


def test_a_picture_is_forgotten(client, gallery):
    enroll(client, 1, 2)
    assert client.delete("/image/1").json() == {"deleted": 1}
    assert list(gallery.rows) == [2]


@pytest.mark.parametrize("number", ["1", "0", "-1", "nan", "1.5", "9" * 18, "9" * 30, "٣", "x%00"])
def test_numbers_of_pictures_that_are_not_there(client, number):
    answer = client.delete(f"/image/{number}")
    assert answer.status_code == 404 and answer.json()["detail"].endswith(".")


def test_nothing_is_changed_where_that_is_not_allowed(without_gallery):
    assert enroll(without_gallery, 1).status_code == 404
    assert without_gallery.delete("/person/anna").status_code == 404
    with client_of(create_app(FakeEmbedder(), FakeGallery(read_only=True))) as client:
        assert enroll(client, 1).status_code == 403
        assert client.delete("/person/anna").status_code == 403
        assert client.delete("/image/1").status_code == 403
        assert client.get("/gallery").json()["can_write"] is False


def test_large_files_leave_nothing_on_the_disk(client, tmp_path, monkeypatch):
    """Frameworks spool files above a megabyte into the folder for temporary files."""
    import tempfile

    from mmreid_ext.deploy.app import Settings

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = []
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda *a, **k: opened.append(a))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda *a, **k: opened.append(a))
    content = file_of(drawn(1, 1000, 1000), ".bmp")
    assert len(content) > 2 << 20
    app = create_app(FakeEmbedder(), FakeGallery(), settings=Settings())
    with client_of(app) as own:
        for path, name in (("/enroll", "images"), ("/embed", "images"), ("/search", "image")):
            answer = own.post(path, files={name: ("a.bmp", content)})
            assert answer.status_code == 200
    assert opened == [] and list(tmp_path.iterdir()) == []
