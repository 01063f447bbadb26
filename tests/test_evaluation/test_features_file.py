import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, load_features, save_features

FIELDS = ("pids", "camids", "roles", "datasets", "names")


def images():
    return EmbeddingSet(
        feats=torch.arange(6.0).reshape(3, 2),
        pids=[4, -1, 2**40],
        camids=[0, 1, -1],
        roles=["query", "gallery", "gallery"],
        datasets=["a", "b", "b"],
        names=["ü/1.png", "", "x y.png"],
    )


def test_round_trip(tmp_path):
    path = save_features(tmp_path / "deep" / "run.1", images(), protocols='{"a": "camera"}')
    assert path.name == "run.1.npz"
    loaded, notes = load_features(path)
    assert torch.equal(loaded.feats, images().feats) and loaded.feats.dtype == torch.float32
    for field in FIELDS:
        assert getattr(loaded, field).tolist() == getattr(images(), field).tolist()
    assert notes == {"protocols": '{"a": "camera"}'}
    assert [p.name for p in path.parent.iterdir()] == ["run.1.npz"], "no temporary file left"


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "evil.npz"
    arrays = {field: np.zeros(1) for field in ("feats", *FIELDS)}
    np.savez(path, **arrays | {"names": np.array([{"run": "me"}], dtype=object)})
    with pytest.raises(ValueError, match="not a features file"):
        load_features(path)


def test_other_files_are_named(tmp_path):
    path = tmp_path / "notes.npz"
    path.write_text("hello")
    with pytest.raises(ValueError, match="notes.npz is not a features file.*--save-features"):
        load_features(path)
    np.savez(path, feats=np.zeros((2, 3)), pids=np.zeros(2, dtype=int))
    with pytest.raises(ValueError, match=r"lacks the arrays \['camids', 'roles'\]"):
        load_features(path)


def test_file_made_by_other_means(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, feats=np.eye(2), pids=[1, 1], camids=[0, 1], roles=["query", "gallery"])
    loaded, notes = load_features(path)
    assert loaded.datasets.tolist() == ["mine", "mine"] and loaded.names.tolist() == ["", ""]
    assert notes == {}


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = save_features(tmp_path / "f.npz", images())
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        save_features(path, images())
    assert path.read_bytes() == before
