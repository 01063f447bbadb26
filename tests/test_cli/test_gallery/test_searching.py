"""Queries, their lists, and how these are written."""

import json

import numpy as np
import pytest
from helpers.gallery_pictures import FakeModel, write_people, write_picture

pytest.importorskip("faiss")

from mmreid_ext.cli.gallery import searching
from mmreid_ext.cli.gallery.adding import add_entries
from mmreid_ext.cli.gallery.listing import labelled, list_entries
from mmreid_ext.deploy import Gallery
from mmreid_ext.deploy.gallery import Filters
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture
def model():
    return FakeModel()


@pytest.fixture
def gallery(tmp_path, model):
    with Gallery(tmp_path / "people.db", model=model.info) as found:
        entries = list_entries(write_people(tmp_path / "photos"), "person")
        add_entries(found, model, labelled(entries, camera="door", time=0.0))
        yield found


def found_for(gallery, model, paths, topk=3, **options):
    queries, _ = searching.embed_queries(model, [str(path) for path in paths])
    return searching.search(gallery, queries, topk, **options)


def test_a_new_picture_finds_its_person(gallery, model, tmp_path):
    [one] = found_for(gallery, model, [write_picture(tmp_path / "who.png", 1, 7)])
    assert [hit.identity for hit in one.hits] == ["tom"] * 3 and not one.itself
    [one] = found_for(gallery, model, [tmp_path / "who.png"], filters=Filters(identities=["eva"]))
    assert {hit.identity for hit in one.hits} == {"eva"}


def test_a_picture_of_the_gallery_is_left_out_of_its_own_list(gallery, model, tmp_path):
    asked = [tmp_path / "photos" / "tom" / "0.png", write_picture(tmp_path / "who.png", 0, 7)]
    own, other = found_for(gallery, model, asked)
    assert own.itself and not other.itself
    assert [hit.source for hit in own.hits][:2] != ["tom/0.png"] and len(own.hits) == 3
    assert "tom/0.png" not in [hit.source for hit in own.hits]
    assert len(other.hits) == 3 and {hit.identity for hit in other.hits} == {"lea"}


def test_queries_that_cant_be_read(model, tmp_path):
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "broken.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(UserError, match="No query can be read, first .*broken.jpg"):
        searching.embed_queries(model, [str(tmp_path / "q")])
    write_picture(tmp_path / "q" / "a.png", 1)
    queries, lost = searching.embed_queries(model, [str(tmp_path / "q")])
    assert len(queries) == 1 and list(lost) == [str(tmp_path / "q" / "broken.jpg")]
    with pytest.raises(MissingFileError, match="No picture and no folder"):
        searching.embed_queries(model, [str(tmp_path / "none")])
    (tmp_path / "q.csv").write_text("path\n")
    with pytest.raises(UserError, match="is a table"):
        searching.embed_queries(model, [str(tmp_path / "q.csv")])


def test_batches_don_t_matter(model, tmp_path):
    folder = write_people(tmp_path / "photos")
    one, _ = searching.embed_queries(model, [str(folder)], batch=2)
    two, _ = searching.embed_queries(model, [str(folder)], batch=64)
    assert [query.file for query in one] == [query.file for query in two]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a.embedding, b.embedding, atol=1e-6)


def test_the_lists_as_text_and_as_json(gallery, model, tmp_path):
    found = found_for(gallery, model, [tmp_path / "photos" / "tom" / "0.png"], topk=4)
    text = searching.search_text(found, model.info.thresholds)
    lines = text.splitlines()
    assert lines[0].endswith("0.png (it is in the gallery itself, and left out)")
    assert lines[1].split() == (
        [
            "rank",
            "similarity",
            "same",
            "person?",
            "person",
            "camera",
            "time",
            "(UTC)",
            "id",
            "picture",
        ]
    )
    assert "yes, 1 in 1,000  tom     door    1970-01-01 00:00:00" in lines[3]
    assert text.endswith("measured on 'people'")
    data = json.loads(json.dumps(searching.search_data(found, "m.onnx", model.info.thresholds)))
    [query] = data["queries"]
    assert query["itself"] and [hit["rank"] for hit in query["hits"]] == [1, 2, 3, 4]
    first = query["hits"][0]
    assert (first["identity"], first["camera"], first["time"], first["same"]) == (
        "tom",
        "door",
        "1970-01-01T00:00:00Z",
        "yes, 1 in 1,000",
    )
    empty = searching.Found("q.jpg", [])
    assert searching.search_text([empty], model.info.thresholds) == "q.jpg\nnothing was found"
