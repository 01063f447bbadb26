"""Features files of the evaluator, of other programs, and damaged ones."""

import json

import numpy as np
import pytest
from helpers.galleries import MODEL, THRESHOLDS, vectors

from mmreid_ext.deploy.gallery import Gallery
from mmreid_ext.deploy.gallery.features_reading import FeaturesFile
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.results.features_file import save_features


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MODEL) as opened:
        yield opened


def stored(path, count=6, **notes):
    kinds = dict(
        pids=np.array([3, 3, -1, 5, 5, 0][:count]),
        camids=np.array([0, 1, 2, -1, 0, 1][:count]),
        roles=np.array(["query", "gallery"] * 3)[:count],
        datasets=np.full(count, "market"),
        names=np.array([f"{n}.jpg" for n in range(count)]),
        distractors=np.arange(count) == 5,
    )
    return save_features(path, EmbeddingSet(vectors(count), **kinds), **notes)


def test_of_the_evaluator(gallery, tmp_path):
    names = json.dumps({"market": {"3": "anna"}})
    path = stored(tmp_path / "f.npz", pid_names=names)
    assert gallery.take(path).added == 6
    found = gallery.get(range(1, 7))
    # pid -1 is nobody known; distractors share a number and no identity
    assert [hit.identity for hit in found] == ["anna", "anna", None, "5", "5", None]
    assert [hit.camera for hit in found] == ["0", "1", "2", None, "0", "1"]
    assert [hit.source for hit in found] == [f"{n}.jpg" for n in range(6)]
    assert all(hit.time is None for hit in found)
    assert np.array_equal(gallery.embeddings(range(1, 7)), vectors(6).astype(np.float16))
    assert gallery.take(path).known == 6


def test_people_of_several_sets_are_apart(gallery, tmp_path):
    kinds = dict(pids=[1, 1], camids=[0, 0], roles=["query"] * 2, datasets=["a", "b"])
    rows = EmbeddingSet(vectors(2), **{k: np.array(v) for k, v in kinds.items()}, names=["", ""])
    gallery.take(save_features(tmp_path / "f.npz", rows))
    assert gallery.people() == {"a/1": 1, "b/1": 1} and gallery.cameras() == {"a/0": 1, "b/0": 1}


def test_in_parts_and_in_fortran_order(tmp_path):
    for order in "CF":
        np.savez(
            tmp_path / "f.npz",
            feats=np.asarray(vectors(11), order=order),
            pids=np.zeros(11, int),
            camids=np.zeros(11, int),
        )
        parts = list(FeaturesFile(tmp_path / "f.npz").parts(4))
        assert [len(part) for part in parts] == [4, 4, 3]
        assert np.array_equal(np.concatenate(parts), vectors(11))


def test_of_another_model(gallery, tmp_path):
    other = json.dumps({"file": "other.pth", "sha256": "1" * 64, "weights": "f" * 64})
    path = stored(tmp_path / "f.npz", checkpoint=other)
    with pytest.raises(UserError, match=r"another model: best\.onnx .*now other\.pth"):
        gallery.take(path)
    assert gallery.info().rows == 0
    ours = json.dumps({"file": "best.pth", "sha256": "1" * 64, "weights": MODEL.identity})
    assert gallery.take(stored(tmp_path / "f.npz", checkpoint=ours)).added == 6


def test_of_another_size(gallery, tmp_path):
    np.savez(tmp_path / "f.npz", feats=vectors(2, size=8), pids=[1, 2], camids=[0, 0])
    with pytest.raises(UserError, match=r"\(2, 8\), must be \(N, 16\)"):
        gallery.take(tmp_path / "f.npz")


def test_the_model_of_a_file(gallery, tmp_path):
    assert FeaturesFile(stored(tmp_path / "f.npz")).model is None
    gallery.add(vectors(2))
    gallery.export(tmp_path / "g.npz")
    model = FeaturesFile(tmp_path / "g.npz").model
    assert (model.identity, model.size) == (MODEL.identity, 16)
    assert model.all_thresholds == THRESHOLDS
    other = json.dumps({"file": "a.pth", "sha256": "12345678" * 8})
    model = FeaturesFile(stored(tmp_path / "f.npz", checkpoint=other)).model
    assert (model.identity, model.name) == ("12345678" * 8, "a.pth (12345678)")


def test_no_such_file(gallery, tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.npz"):
        gallery.take(tmp_path / "none.npz")
    with pytest.raises(UserError, match=r"galleries take \.npz"):
        gallery.take(tmp_path / "f.parquet")


def write(path, **changes):
    arrays = dict(feats=vectors(3), pids=np.arange(3), camids=np.arange(3))
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(feats=None), "not a features file"),
        (dict(pids=None), "lacks the array 'pids'"),
        (dict(pids=np.arange(4)), "pids has shape"),
        (dict(camids=np.array(["a", "b", "c"])), "camids has shape"),
        (dict(feats=np.array(["a"])), "feats has shape"),
        (dict(feats=vectors(3).astype(complex)), "feats has shape"),
        (dict(names=np.array([{}, 1, 2], dtype=object)), "not a features file"),
        (dict(hashes=np.array(["zz", "", ""])), "'zz' is no hash"),
        (dict(thumbnails=np.zeros(3, np.uint8), thumbnail_sizes=[9, 0, 0]), "thumbnails"),
        (dict(feats=np.full((3, 16), np.nan)), "row 0 holds NaN"),
    ],
)
def test_damaged(gallery, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        gallery.take(write(tmp_path / "f.npz", **changes))
    assert gallery.info().rows == 0


def test_cut_and_garbage(gallery, tmp_path):
    path = write(tmp_path / "f.npz")
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"f\.npz is not a features file"):
            gallery.take(path)
    damaged = bytearray(whole)
    damaged[300] ^= 255  # in the embeddings: the checksum of the archive differs
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"f\.npz is not a features file"):
        gallery.take(path)
