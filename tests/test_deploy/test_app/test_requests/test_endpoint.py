import asyncio
import threading

import httpx
import pytest
from helpers.fake_deploy import FakeEmbedder, client_of, drawn, file_of

from mmreid_ext.deploy.app import Settings, create_app

FILE = file_of(drawn(1))


def embed(client, content=FILE, **headers):
    return client.post("/embed", content=content, headers={"Content-Type": "image/png"} | headers)


def test_a_form_and_a_bare_picture_are_the_same(client):
    form = client.post("/embed", files={"images": ("a.png", FILE)})
    assert embed(client).json() == form.json() and form.status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "", "application/x-www-form-urlencoded"]
)
def test_other_bodies_are_refused(client, kind):
    answer = client.post("/embed", content=FILE, headers={"Content-Type": kind})
    assert answer.status_code == 415 and "form" in answer.json()["detail"]


def test_a_compressed_body_is_refused(client):
    assert embed(client, **{"Content-Encoding": "gzip"}).status_code == 415


def test_a_body_is_cut_at_its_limit_whatever_its_length_says(client):
    def endless():
        for _ in range(10_000):
            yield bytes(65536)

    answer = embed(client, endless())
    assert answer.status_code == 413 and "200,000 bytes" in answer.json()["detail"]
    assert embed(client, b"x" * 200_001).status_code == 413
    assert embed(client).status_code == 200


def test_a_slow_model_ends_in_503(embedder):
    with client_of(create_app(embedder, settings=Settings(timeout=0.3))) as client:
        embedder.block = threading.Event()
        answer = embed(client)
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        embedder.block.set()
        assert embed(client).status_code == 200


def test_a_bug_is_500_without_details(embedder, caplog):
    with client_of(create_app(embedder)) as client:
        embedder.fault = ValueError("the secret path /srv/model.onnx")
        answer = embed(client, file_of(drawn(1) * 0))
        assert answer.status_code == 500 and "secret" not in answer.text
        assert answer.json()["detail"].endswith(".")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert embed(client).status_code == 200
    assert "the secret path" in caplog.text


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/embed", 405),
        ("PUT", "/search", 405),
        ("GET", "/search", 405),
        ("GET", "/x", 404),
        ("POST", "/embed/", 404),
        ("GET", "/docs/", 404),
        ("OPTIONS", "/embed", 405),
    ],
)
def test_wrong_addresses_get_a_sentence(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status and answer.json()["detail"].endswith(".")


async def raw(app, *messages):
    """The status and the body that a client gets whose body arrives as these messages."""
    sent, messages = [], list(messages)

    async def receive():
        if messages:
            return messages.pop(0)
        return await asyncio.Event().wait()  # nothing more ever comes

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/embed",
        "raw_path": b"/embed",
        "root_path": "",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), (b"content-type", b"image/png")],
    }
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def test_a_slow_client_ends_in_408(embedder):
    app = create_app(embedder, settings=Settings(timeout=0.2))
    first = {"type": "http.request", "body": b"x", "more_body": True}
    status, body = asyncio.run(raw(app, first))
    assert status == 408 and b"0.2 seconds" in body
    assert app.state.service.gate.requests == app.state.service.gate.memory == 0


def test_a_client_that_left_gets_no_model(embedder):
    app = create_app(embedder)
    passes = len(embedder.batches)
    status, _ = asyncio.run(raw(app, {"type": "http.disconnect"}))
    assert status == 400 and len(embedder.batches) == passes


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_many_clients_at_once_get_their_own_answers(embedder):
    app = create_app(embedder, settings=Settings(batch=4))
    files = [file_of(drawn(n)) for n in range(30)]
    rows = FakeEmbedder().embed_inputs
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = await asyncio.gather(
            *(client.post("/embed", files={"images": ("a", file)}) for file in files)
        )
    for n, answer in enumerate(answers):
        wanted = rows(embedder.prepare(drawn(n))[None])[0]
        assert abs(answer.json()["embeddings"][0] - wanted).max() < 1e-6
    assert max(embedder.batches) == 4
    await app.state.service.close()
