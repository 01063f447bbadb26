from mmreid_ext.deploy.app.metrics import Metrics


def test_everything_is_counted():
    metrics = Metrics(lambda: 7)
    metrics.answered("/embed", "POST", 200, 0.02)
    metrics.answered("/embed", "POST", 503, 0.001)
    metrics.batch(3)
    metrics.batch(1)
    text = metrics.text(42).decode()
    for line in (
        'mmreid_requests_total{method="POST",route="/embed",status="200"} 1.0',
        'mmreid_requests_total{method="POST",route="/embed",status="503"} 1.0',
        'mmreid_request_seconds_bucket{le="0.025",route="/embed"} 2.0',
        "mmreid_queue_pictures 7.0",
        'mmreid_batch_pictures_bucket{le="2.0"} 1.0',
        "mmreid_embeddings_total 4.0",
        "mmreid_gallery_rows 42.0",
    ):
        assert line in text
    assert "process_resident_memory_bytes" in text


def test_without_a_gallery_there_are_no_rows():
    assert "gallery" not in Metrics(lambda: 0).text(None).decode()


def test_methods_of_a_stranger_make_one_label():
    metrics = Metrics(lambda: 0)
    for n in range(50):
        metrics.answered("other", f"M{n}", 405, 0.001)
    assert metrics.text(None).decode().count("mmreid_requests_total{") == 1
