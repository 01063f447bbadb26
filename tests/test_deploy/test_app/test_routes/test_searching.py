import pytest
from helpers.fake_deploy import FakeEmbedder, client_of, drawn, file_of

from mmreid_ext.deploy.app import create_app

PICTURE = {"image": ("q.png", file_of(drawn(1)))}


@pytest.fixture
def filled(client):
    for number, name in ((1, "anna"), (2, "tom"), (3, None)):
        sent = {"camera": f"c{number}", "time": str(1000 * number)} | (
            {"identity": name} if name else {}
        )
        files = {"images": (f"up/{number}.png", file_of(drawn(number)))}
        assert client.post("/enroll", files=files, data=sent).json()["added"] == 1
    return client


def test_matches_come_best_first_with_the_line_between_people(filled):
    answer = filled.post("/search", files=PICTURE, data={"topk": "2"}).json()
    first, second = answer["matches"]
    assert first == {
        "id": 1,
        "similarity": pytest.approx(1),
        "identity": "anna",
        "camera": "c1",
        "time": "1970-01-01T00:16:40Z",
        "source": "1.png",
        "same": True,
        "thumbnail": "/thumbnail/1",
    }
    assert second["similarity"] < 0.9 and second["same"] is False
    assert answer["threshold"] == {"fpr": 0.001, "similarity": 0.9}


def test_paths_of_the_server_stay_there(filled, gallery):
    """A gallery that was filled by the tool knows its pictures by their paths."""
    gallery.rows[1].sources = "/srv/secret/photos/1.jpg"
    gallery.rows[2].thumbnails = None
    answer = filled.post("/search", files=PICTURE)
    assert "secret" not in answer.text
    shown = {match["id"]: match for match in answer.json()["matches"]}
    assert shown[1]["source"] == "1.jpg" and shown[2]["thumbnail"] is None


def test_people_are_found_whatever_their_names(filled):
    names = {m["identity"] for m in filled.post("/search", files=PICTURE).json()["matches"]}
    assert names == {"anna", "tom", None}


def test_filters_reach_the_gallery(filled, gallery):
    sent = {
        "camera": ["a", "b"],
        "not_camera": "c",
        "identity": ["anna", "tom"],
        "since": "1970-01-01T00:00:10Z",
        "until": "20.5",
        "rerank": "true",
        "topk": "7",
    }
    assert filled.post("/search", files=PICTURE, data=sent).status_code == 200
    asked = gallery.asked[-1]
    assert (asked.topk, asked.rerank.n) == (7, 100)
    assert (asked.filters.since, asked.filters.until) == (10.0, 20.5)
    assert list(asked.filters.cameras) == ["a", "b"] and list(asked.filters.not_cameras) == ["c"]
    assert list(asked.filters.identities) == ["anna", "tom"]
    filled.post("/search", files=PICTURE, data={"identity": "", "since": ""})
    asked = gallery.asked[-1]
    assert (asked.topk, asked.rerank) == (10, None)
    assert asked.filters.identities is None and asked.filters.since is None


def test_a_box_is_searched_alone(filled):
    whole = filled.post("/search", files=PICTURE).json()["matches"][0]["similarity"]
    part = filled.post("/search", files=PICTURE, data={"box": "0,0,16,64"}).json()["matches"][0]
    assert part["similarity"] != pytest.approx(whole)
    answer = filled.post("/search", files=PICTURE, data={"box": "0,0,100,100"})
    assert answer.status_code == 422 and "32 x 64" in answer.json()["detail"]


@pytest.mark.parametrize(
    "field, value",
    [
        ("topk", "0"),
        ("topk", "-5"),
        ("topk", "NaN"),
        ("topk", "10000000000"),
        ("topk", "1001"),
        ("box", "1,2,3"),
        ("box", "nan,0,1,1"),
        ("since", "NaN"),
        ("since", "tomorrow"),
        ("until", "inf"),
        ("rerank", "perhaps"),
        ("camera", "a\x00b"),
        ("identity", "x" * 300),
        ("colour", "red"),
    ],
)
def test_fields_that_cannot_be_read(client, field, value):
    answer = client.post("/search", files=PICTURE, data={field: value})
    assert answer.status_code == 400 and field in answer.json()["detail"]


def test_a_window_must_not_end_before_it_begins(client):
    answer = client.post("/search", files=PICTURE, data={"since": "20", "until": "10"})
    assert answer.status_code == 400 and "1970-01-01T00:00:20Z" in answer.json()["detail"]


def test_a_field_that_was_meant_is_suggested(client):
    answer = client.post("/search", files=PICTURE, data={"cameras": "a"})
    assert "did you mean 'camera'" in answer.json()["detail"]


def test_without_a_gallery_there_is_nothing_to_search(without_gallery):
    answer = without_gallery.post("/search", files=PICTURE)
    assert answer.status_code == 404 and "--gallery" in answer.json()["detail"]


def test_without_thresholds_nobody_is_the_same(gallery):
    with client_of(create_app(FakeEmbedder(thresholds=False), gallery)) as client:
        client.post("/enroll", files={"images": ("a.png", file_of(drawn(1)))})
        answer = client.post("/search", files=PICTURE).json()
        assert answer["threshold"] is None and answer["matches"][0]["same"] is None
