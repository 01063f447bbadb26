"""Queries find the nearest pictures of a gallery, each without itself."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmreid_ext.apis.embedding.gallery import Gallery
from mmreid_ext.apis.embedding.gallery_search import query_files, search
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet

NOBODY = SimpleNamespace(thresholds=[])


def gallery(feats, names, folder, pids=None, camids=None):
    count = len(names)
    unknown = np.full(count, -1)
    images = EmbeddingSet(
        feats,
        unknown if pids is None else np.array(pids),
        unknown if camids is None else np.array(camids),
        np.full(count, "gallery"),
        np.full(count, "mine"),
        np.array(names),
    )
    return Gallery(images, {}, "mine", folder)


def test_lists_are_those_of_all_similarities(tmp_path):
    generator = torch.Generator().manual_seed(0)
    feats, queries = (torch.randn(n, 8, generator=generator) for n in (30, 4))
    names = [f"{i}.jpg" for i in range(30)]
    found = search(NOBODY, ["q"] * 4, queries, gallery(feats, names, tmp_path), topk=5)
    rows = torch.nn.functional.normalize(queries) @ torch.nn.functional.normalize(feats).T
    for one, row in zip(found, rows, strict=True):
        best = row.argsort(descending=True)[:5].tolist()
        assert [hit.path for hit in one.hits] == [names[i] for i in best] and not one.itself
        assert [hit.rank for hit in one.hits] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("known", [True, False])
def test_a_query_is_not_its_own_answer(tmp_path, known):
    feats = torch.eye(3)
    place = gallery(feats, ["lea/1.jpg", "lea/2.jpg", "ben/1.jpg"], tmp_path if known else None)
    query = str(tmp_path / "lea" / "1.jpg")
    (one,) = search(NOBODY, [query], feats[:1], place, topk=3)
    assert one.itself and [hit.path for hit in one.hits] == ["lea/2.jpg", "ben/1.jpg"]


def test_another_picture_of_that_name_is_an_answer():
    feats = torch.eye(2)
    (one,) = search(NOBODY, ["/x/1.jpg"], feats[1:], gallery(feats, ["1.jpg", "2.jpg"], None), 2)
    assert not one.itself and [hit.path for hit in one.hits] == ["2.jpg", "1.jpg"]


def test_people_and_cameras_are_named_where_they_are_known(tmp_path):
    place = gallery(torch.eye(2), ["a", "b"], tmp_path, [7, -1], [1, -1])
    place.pid_names = {7: "lea"}
    (one,) = search(NOBODY, ["q"], torch.eye(2)[:1], place, 2)
    assert [(hit.person, hit.camera) for hit in one.hits] == [("lea", "cam 2"), ("", "")]


def test_query_folders_give_their_pictures(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.jpg", "in/a.jpg", "x.txt"):
        (tmp_path / name).touch()
    files = [str(tmp_path / "b.jpg"), str(tmp_path / "in" / "a.jpg")]
    assert [str(Path(file)) for file in query_files([str(tmp_path)])] == files
    with pytest.raises(UserError, match="No folder and no file"):
        query_files([str(tmp_path / "none.jpg")])
