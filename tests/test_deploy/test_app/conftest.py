import pytest
from helpers.fake_deploy import FakeEmbedder, FakeGallery, client_of

from mmreid_ext.deploy.app import Settings, create_app


@pytest.fixture
def embedder():
    return FakeEmbedder()


@pytest.fixture
def gallery():
    return FakeGallery()


@pytest.fixture
def client(embedder, gallery):
    """A client of a service that embeds colours and keeps them in memory."""
    settings = Settings(max_body=200_000, max_pixels=100_000, max_images=4, queue=8, thumbnail=32)
    with client_of(create_app(embedder, gallery, settings=settings)) as one:
        yield one


@pytest.fixture
def without_gallery(embedder):
    with client_of(create_app(embedder)) as one:
        yield one
