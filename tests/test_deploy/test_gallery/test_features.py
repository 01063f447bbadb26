"""What a gallery exports is a features file: other readers take it, and nothing is lost."""

import json

import numpy as np
import pytest
from helpers.galleries import MODEL, columns, jpeg, pairs, vectors

from mmreid_ext.deploy.gallery import Gallery
from mmreid_ext.deploy.gallery.features import numbered
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.features_file import load_features, notes_as_data


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MODEL) as opened:
        yield opened


def test_the_evaluators_reader_takes_it(gallery, tmp_path):
    table = columns(40)
    ids = gallery.add(vectors(40), **table).ids
    assert gallery.export(tmp_path / "out.npz") == 40
    found, notes = load_features(tmp_path / "out.npz")
    assert np.array_equal(found.feats.numpy(), gallery.embeddings(ids).astype(np.float32))
    assert found.names.tolist() == [source or "" for source in table["sources"]]
    assert set(found.roles) == {"gallery"} and not found.distractors.any()
    told = notes_as_data(notes, "out.npz")
    assert told["checkpoint"]["weights"] == MODEL.identity
    people = told["pid_names"]["gallery"]
    assert [people.get(pid) for pid in found.pids.tolist()] == table["identities"]
    cameras = json.loads(notes["camera_names"])
    assert [cameras.get(str(n)) for n in found.camids.tolist()] == table["cameras"]


def test_back_and_forth_keeps_everything(gallery, tmp_path):
    table = columns(60)
    table["hashes"][3] = b"short"
    gallery.add(vectors(60), **table, thumbnails=[jpeg(n) if n % 3 else None for n in range(60)])
    gallery.export(tmp_path / "out.npz", thumbnails=True)
    with Gallery(tmp_path / "b.db", MODEL) as other:
        done = []
        taken = other.take(tmp_path / "out.npz", progress=done.append)
        assert (taken.added, taken.known, sum(done)) == (60, 0, 60)
        ids = range(1, 61)
        assert other.get(ids) == gallery.get(ids)
        assert np.array_equal(other.embeddings(ids), gallery.embeddings(ids))
        assert [other.thumbnail(n) for n in ids] == [gallery.thumbnail(n) for n in ids]
        queries = vectors(3, seed=2)
        assert pairs(other.search(queries)) == pairs(gallery.search(queries))
        assert other.take(tmp_path / "out.npz").known == 60
    assert gallery.take(tmp_path / "out.npz").known == 60


def test_equal_content_makes_equal_files(gallery, tmp_path):
    gallery.add(vectors(9), **columns(9))
    gallery.export(tmp_path / "a.npz")
    gallery.export(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert "thumbnails" not in archive.files


def test_an_empty_gallery(gallery, tmp_path):
    assert gallery.export(tmp_path / "a.npz") == 0
    assert len(load_features(tmp_path / "a.npz")[0]) == 0
    assert gallery.take(tmp_path / "a.npz").ids == []


def test_numbers_stay_numbers():
    assert numbered(["7", None, "0", "7"]) == {"7": 7, "0": 0}
    assert numbered(["anna", "2", "02", "-1", "²"]) == {
        "2": 2,
        "-1": 3,
        "02": 4,
        "anna": 5,
        "²": 6,
    }
    assert numbered(["99999999999999999999"]) == {"99999999999999999999": 0}


@pytest.mark.parametrize("name", ["out.txt", "people.db/out.npz"])
def test_a_path_that_can_not_be_written(gallery, tmp_path, name):
    with pytest.raises(UserError, match="out"):
        gallery.export(tmp_path / name)


def test_a_failure_leaves_the_old_file(gallery, tmp_path, monkeypatch):
    gallery.add(vectors(2))
    gallery.export(tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmreid_ext.deploy.gallery.features.os.replace", full)
    gallery.add(vectors(2, seed=1))
    with pytest.raises(UserError, match=r"a\.npz can't be written \(No space left"):
        gallery.export(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == before
    assert sorted(p.name for p in tmp_path.glob(".a.npz*")) == []
