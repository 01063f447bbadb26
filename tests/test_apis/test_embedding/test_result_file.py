"""Shards become one features file that every reader of ours reads."""

import os
import sys

import numpy as np
import pytest

from mmreid_ext.apis.embedding.image_list import ImageList
from mmreid_ext.apis.embedding.result_file import check_suffix, write_result
from mmreid_ext.apis.embedding.shards import Shard, ShardStore
from mmreid_ext.apis.stored_features import read_embeddings
from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.evaluation.results.features_file import load_features

NOTES = dict(checkpoint='{"file": "m.pth"}', use="{}")


@pytest.fixture
def images(tmp_path):
    names = ["é.jpg", "long/name.jpg", "bad.jpg", "d.jpg"]
    return ImageList(
        "x", tmp_path, names, (), [3, 4, 5, -1], [0, 1, 2, -1], ["query"] + ["gallery"] * 3
    )


@pytest.fixture
def store(tmp_path):
    store = ShardStore(tmp_path / "parts", {})
    store.prepare()
    feats = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    store.save(0, Shard(np.array([0, 1]), feats[:2], {2: "broken"}))
    store.save(1, Shard(np.array([3]), feats[2:], {}))
    store.feats = feats
    return store


def contents(path):
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".features"])
def test_what_is_written_is_read_back(images, store, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"f{suffix}"
    assert write_result(out, images, store, 2, NOTES) == (3, {2: "broken"})
    found, notes = read_embeddings(out)
    assert np.array_equal(np.asarray(found.feats), store.feats) and notes == NOTES
    assert found.names.tolist() == ["é.jpg", "long/name.jpg", "d.jpg"]
    assert found.pids.tolist() == [3, 4, -1] and found.camids.tolist() == [0, 1, -1]
    assert found.roles.tolist() == ["query", "gallery", "gallery"]
    again = tmp_path / f"again{suffix}"
    write_result(again, images, store, 2, NOTES)
    assert contents(again) == contents(out), "equal content makes equal files"


def test_without_labels_everything_is_gallery_and_unknown(store, tmp_path):
    images = ImageList("x", tmp_path, ["a", "b", "c", "d"])
    write_result(tmp_path / "f.npz", images, store, 2, NOTES)
    found, _ = load_features(tmp_path / "f.npz")
    assert set(found.roles) == {"gallery"} and set(found.pids) == set(found.camids) == {-1}


def test_names_that_cannot_be_written(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="must end with .npz, .parquet or .features"):
        check_suffix(tmp_path / "f.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        check_suffix(tmp_path / "f.parquet")


def test_names_that_are_no_text(store, tmp_path):
    pytest.importorskip("pyarrow")
    names = [os.fsdecode(b"\xff.jpg"), "new\nline.jpg", "c", "d"]
    images = ImageList("x", tmp_path, names)
    write_result(tmp_path / "f.npz", images, store, 2, NOTES)
    assert load_features(tmp_path / "f.npz")[0].names.tolist() == [*names[:2], "d"]
    write_result(tmp_path / "f.parquet", images, store, 2, NOTES)
    found = read_embeddings(tmp_path / "f.parquet")[0].names.tolist()
    assert found == ["\\udcff.jpg", "new\nline.jpg", "d"]
