"""Files and servers are told apart."""

import pytest
from helpers.exported_model import info

from mmreid_ext.deploy import Gallery
from mmreid_ext.deploy.gallery.model_identity import model_of
from mmreid_ext.deploy.gallery.places import open_store
from mmreid_ext.errors import UserError


def test_a_file(tmp_path):
    pytest.importorskip("faiss")
    store = open_store(str(tmp_path / "people.db"), model_of(info()), None, False, 1)
    assert type(store).__name__ == "LocalStore" and store.model.size == 8
    store.close()


@pytest.mark.parametrize("place", ["http://127.0.0.1:1", "HTTPS://127.0.0.1:1"])
def test_a_server(place):
    pytest.importorskip("pymilvus")
    with pytest.raises(UserError, match=f"no Milvus server answers at {place.lower()}"):
        Gallery(place, info(), token="root:s3cret-pass")


def test_another_kind_of_address():
    with pytest.raises(UserError, match="'ftp://host/people.db' must look like http://host:19530"):
        Gallery("ftp://host/people.db", info())
