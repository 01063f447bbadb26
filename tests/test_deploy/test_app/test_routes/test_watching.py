from helpers.fake_deploy import client_of, drawn, file_of

from mmreid_ext.deploy.app import create_app
from mmreid_ext.errors import UserError


def test_health(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_metrics_count_requests_batches_and_rows(client):
    files = [("images", (f"{n}.png", file_of(drawn(n)))) for n in (1, 2, 3)]
    client.post("/enroll", files=files)
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for line in (
        'mmreid_requests_total{method="POST",route="/enroll",status="200"} 1.0',
        "mmreid_embeddings_total 3.0",
        "mmreid_batch_pictures_sum 3.0",
        "mmreid_queue_pictures 0.0",
        "mmreid_gallery_rows 3.0",
    ):
        assert line in answer.text


def test_without_a_gallery_no_rows_are_counted(without_gallery):
    assert "gallery_rows" not in without_gallery.get("/metrics").text


def test_a_service_that_stops_says_so(embedder):
    app = create_app(embedder)
    with client_of(app) as client:
        app.state.service.batcher.closed = True
        assert client.get("/health").status_code == 503


def test_the_rest_is_counted_while_the_gallery_has_troubles(client, gallery, monkeypatch):
    def fail():
        raise UserError("people.db was deleted")

    monkeypatch.setattr(gallery, "info", fail)
    answer = client.get("/metrics")
    assert answer.status_code == 200 and "mmreid_queue_pictures" in answer.text
    assert "people.db" not in answer.text and client.get("/gallery").status_code == 503
