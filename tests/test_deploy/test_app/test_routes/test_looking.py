from helpers.fake_deploy import drawn, file_of


def enroll(client, number, **fields):
    files = {"images": (f"{number}.png", file_of(drawn(number)))}
    return client.post("/enroll", files=files, data=fields)


def test_the_gallery_says_who_is_in_it(client):
    enroll(client, 1, identity="anna", camera="gate")
    enroll(client, 2, identity="anna")
    enroll(client, 3)
    shown = client.get("/gallery").json()
    assert shown["rows"] == 3 and shown["can_write"] is True
    assert {p["identity"]: p["count"] for p in shown["people"]} == {"anna": 2, None: 1}
    assert {c["camera"]: c["count"] for c in shown["cameras"]} == {"gate": 1}
    assert shown["model"] == {
        "name": "small.pth (abcd1234)",
        "size": 12,
        "height": 32,
        "width": 16,
        "precision": "fp32",
    }
    assert [t["fpr"] for t in shown["thresholds"]] == [0.01, 0.001, 0.0001]


def test_thumbnails_are_pictures_and_nothing_else(client):
    enroll(client, 1)
    answer = client.get("/thumbnail/1")
    assert answer.content.startswith(b"\xff\xd8") and answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get("/thumbnail/2").status_code == 404
    assert client.get("/thumbnail/..%2f..%2fetc%2fpasswd").status_code == 404


def test_without_a_gallery(without_gallery):
    for path in ("/gallery", "/thumbnail/1"):
        answer = without_gallery.get(path)
        assert answer.status_code == 404 and "--gallery" in answer.json()["detail"]
