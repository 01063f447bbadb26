import pytest
from helpers.fake_deploy import FakeEmbedder, FakeGallery, client_of, drawn, file_of

from mmreid_ext.deploy.app import create_app

KEY = "k3y-of-more-than-16-signs"
PICTURE = {"images": ("a.png", file_of(drawn(1)))}


@pytest.fixture
def locked():
    with client_of(create_app(FakeEmbedder(), FakeGallery(), api_key=KEY)) as client:
        yield client


def test_every_answer_says_what_a_browser_may_do_with_it(client):
    for path in ("/health", "/nothing", "/gallery", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in headers if name.startswith("access-control")]
    assert client.get("/gallery").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""]
)
def test_a_name_that_was_bound_to_this_machine_by_a_stranger_is_refused(client, host):
    """DNS rebinding: the page of a stranger, whose name now points to 127.0.0.1."""
    for path in ("/", "/health", "/gallery"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421 and "localhost" in answer.json()["detail"]


def test_two_names_are_refused(client):
    for hosts in (("evil.example", "localhost"), ("localhost", "evil.example")):
        answer = client.get("/gallery", headers=[("Host", host) for host in hosts])
        assert answer.status_code == 400 and "several headers Host" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_this_machine_has_names(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
    ],
    ids=str,
)
def test_a_page_of_another_site_changes_and_reads_nothing(client, gallery, headers):
    assert client.post("/enroll", files=PICTURE).status_code == 200
    assert client.post("/enroll", files=PICTURE, headers=headers).status_code == 403
    assert client.post("/embed", files=PICTURE, headers=headers).status_code == 403
    assert client.delete("/image/1", headers=headers).status_code == 403
    assert client.get("/thumbnail/1", headers=headers).status_code == 403
    assert len(gallery.rows) == 1


def test_the_own_page_works(client):
    headers = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/enroll", files=PICTURE, headers=headers).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/docs", headers=link).status_code == 200


def test_without_a_key_no_other_machine_may_ask(embedder):
    with client_of(create_app(embedder), client=("10.1.2.3", 5)) as client:
        answer = client.get("/health")
        assert answer.status_code == 403 and "MMREID_API_KEY" in answer.json()["detail"]


def test_forwarded_addresses_are_not_believed(embedder):
    headers = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    with client_of(create_app(embedder), client=("10.1.2.3", 5)) as client:
        assert client.get("/health", headers=headers).status_code == 403


def test_the_key_opens_and_nothing_else_does(locked):
    for headers in ({}, {"Authorization": "Bearer wrong-key-of-16-signs"}, {"X-API-Key": KEY}):
        answer = locked.post("/embed", files=PICTURE, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert KEY not in answer.text
    right = {"Authorization": f"Bearer {KEY}"}
    assert locked.post("/embed", files=PICTURE, headers=right).status_code == 200


@pytest.mark.parametrize("path", ["/gallery", "/metrics", "/thumbnail/1", "/nothing", "/page"])
def test_with_a_key_everything_needs_it(locked, path):
    assert locked.get(path).status_code == 401
    assert locked.delete("/person/anna").status_code == 401


@pytest.mark.parametrize("path", ["/health", "/docs", "/docs.css", "/openapi.json"])
def test_what_holds_no_data_needs_no_key(locked, path):
    assert locked.get(path, headers={"Host": "reid.example"}).status_code == 200


def test_a_key_serves_other_machines(embedder):
    app = create_app(embedder, api_key=KEY)
    with client_of(app, client=("10.1.2.3", 5), base_url="https://reid.example") as client:
        right = {"Authorization": f"Bearer {KEY}", "Origin": "https://reid.example"}
        assert client.post("/embed", files=PICTURE, headers=right).status_code == 200


def test_unknown_paths_make_no_labels(client):
    for n in range(20):
        client.get(f"/wp-admin/{n}")
        client.request("BREW", "/embed")
    client.get("/thumbnail/77")
    text = client.get("/metrics").text
    assert "wp-admin" not in text and "BREW" not in text and "/thumbnail/77" not in text
    assert 'route="/thumbnail/{image}",status="404"' in text
    assert 'mmreid_requests_total{method="GET",route="other",status="404"} 20.0' in text
