import numpy as np
from helpers.fake_deploy import FakeEmbedder, client_of, drawn, file_of

from mmreid_ext.deploy.app import create_app


def files(*numbers, name="images"):
    return [(name, (f"{n}.png", file_of(drawn(n)))) for n in numbers]


def test_embeddings_come_in_the_order_of_the_pictures(client, embedder):
    answer = client.post("/embed", files=files(1, 2, 3)).json()
    stack = np.stack([embedder.prepare(drawn(n)) for n in (1, 2, 3)])
    assert np.allclose(answer["embeddings"], embedder.embed_inputs(stack), atol=1e-6)
    assert (answer["size"], answer["model"]) == (12, "small.pth (abcd1234)")


def test_a_broken_picture_among_others_is_named(client):
    sent = [*files(1), ("images", ("/home/me/b.jpg", b"\xff\xd8\xff\x00"))]
    answer = client.post("/embed", files=sent)
    assert answer.status_code == 422 and "images 'b.jpg'" in answer.json()["detail"]


def test_too_many_pictures(client):
    answer = client.post("/embed", files=files(1, 2, 3, 4, 5))
    assert answer.status_code == 413 and "More than 4 pictures" in answer.json()["detail"]


def test_one_person_or_two(client):
    same = client.post("/compare", files=files(1, name="a") + files(1, name="b")).json()
    assert same["similarity"] > 0.999
    assert [one["same"] for one in same["answers"]] == [True, True, None]
    assert same["answers"][1] == {"same": True, "fpr": 0.001, "similarity": 0.9, "tpr": 0.7}
    other = client.post("/compare", files=files(2, name="b") + files(1, name="a")).json()
    rows = client.post("/embed", files=files(1, 2)).json()["embeddings"]
    assert np.isclose(other["similarity"], np.dot(*rows), atol=1e-6)


def test_a_comparison_needs_two_pictures(client):
    for sent, words in ((files(1, name="a"), "no file b"), (files(1, 2, name="a"), "send fewer")):
        answer = client.post("/compare", files=sent)
        assert 400 <= answer.status_code < 500 and words in answer.json()["detail"]


def test_without_thresholds_there_are_no_answers():
    with client_of(create_app(FakeEmbedder(thresholds=False))) as client:
        sent = files(1, name="a") + files(1, name="b")
        assert client.post("/compare", files=sent).json()["answers"] == []
