import json

import numpy as np
import pytest
import torch

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import EmbeddingSet, load_features, save_features
from mmreid_ext.evaluation.results.features_file import notes_as_data, saved_protocols

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


def test_notes_name_checkpoint_training_and_people(tmp_path):
    notes = dict(
        checkpoint=json.dumps(dict(file="last.pth", sha256="ab")),
        training=json.dumps(dict(seed=3)),
        pid_names=json.dumps({"a": {"4": "alice"}}),
        remark="night run",
    )
    path = save_features(tmp_path / "f.npz", images(), **notes)
    assert notes_as_data(load_features(path)[1], path) == dict(
        checkpoint=dict(file="last.pth", sha256="ab"),
        training=dict(seed=3),
        pid_names={"a": {4: "alice"}},
        others=dict(remark="night run"),
    )
    assert notes_as_data({"checkpoint": "/home/me/last.pth"}, path)["checkpoint"]["file"] == (
        "last.pth"
    )
    assert notes_as_data({}, path)["checkpoint"] is None


def test_distractors_are_kept(tmp_path):
    table = images()
    table.distractors = np.array([False, True, False])
    loaded, _ = load_features(save_features(tmp_path / "f.npz", table))
    assert loaded.distractors.tolist() == [False, True, False]


STRANGE = dict(
    feats=[np.zeros(3), np.zeros((3, 2), dtype="U1"), np.zeros((3, 2), dtype=complex)],
    pids=[np.zeros(3), np.zeros((3, 1), dtype=int), np.array(["1", "2", "3"]), np.zeros(2, int)],
    camids=[np.zeros(3), np.array(0), np.zeros(4, int)],
    roles=[np.zeros(3, int), np.array(["query", "gallery", "train"]), np.array("query")],
    datasets=[np.zeros(3, int), np.array("a")],
    names=[np.zeros(3), np.array(["a"])],
    distractors=[np.zeros(3, int), np.zeros(2, bool)],
)


@pytest.mark.parametrize("field, value", [(f, v) for f in STRANGE for v in STRANGE[f]])
def test_arrays_of_strangers_are_checked(tmp_path, field, value):
    arrays = {name: getattr(images(), name) for name in ("feats", "distractors", *FIELDS)}
    arrays["feats"] = arrays["feats"].numpy()
    path = tmp_path / "strange.npz"
    np.savez(path, **arrays | {field: value})
    with pytest.raises(UserError) as caught:
        load_features(path)
    assert "strange.npz" in str(caught.value) and "\n" not in str(caught.value)


def test_embeddings_that_are_no_numbers(tmp_path):
    arrays = {name: getattr(images(), name) for name in FIELDS}
    path = tmp_path / "strange.npz"
    np.savez(path, feats=np.full((3, 2), np.nan), **arrays)
    with pytest.raises(UserError, match=r"strange\.npz: 3 of 3 embeddings contain NaN"):
        load_features(path)


@pytest.mark.parametrize("note", ["protocols", "checkpoint", "training"])
@pytest.mark.parametrize("text", ["{", "[1]", "7", "[" * 100_000])
def test_notes_of_strangers_are_checked(note, text):
    if note == "checkpoint" and not text.startswith("{"):
        assert notes_as_data({note: text}, "f.npz")["checkpoint"]["sha256"] is None
        return
    with pytest.raises(UserError, match=f"f.npz: the note '{note}'"):
        saved_protocols({note: text}, "f.npz") if note == "protocols" else notes_as_data(
            {note: text}, "f.npz"
        )
    assert notes_as_data({"pid_names": text}, "f.npz")["pid_names"] == {}, "names are a courtesy"


@pytest.mark.parametrize("title", ["\x1b[2J", "a\nb", "L" * 201])
def test_a_name_that_no_terminal_should_see_is_refused(tmp_path, title):
    arrays = {field: np.asarray(getattr(images(), field)) for field in ("feats", *FIELDS)}
    np.savez(tmp_path / "x.npz", **arrays | {"datasets": np.full(3, title)})
    with pytest.raises(UserError, match="is no name of a test set") as error:
        load_features(tmp_path / "x.npz")
    assert str(error.value).replace(str(tmp_path), "").isprintable()


@pytest.mark.parametrize("field", ["names", "roles", "datasets"])
def test_text_that_is_none_is_refused(tmp_path, field):
    arrays = {name: np.asarray(getattr(images(), name)) for name in ("feats", *FIELDS)}
    arrays[field] = np.array([1, 2**31, 3], dtype=np.uint32).view("U1")
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(UserError, match=f"odd.npz: {field} holds what is no text in row 1"):
        load_features(tmp_path / "odd.npz")


def test_numbers_beyond_64_bits_are_refused(tmp_path):
    arrays = {field: np.asarray(getattr(images(), field)) for field in ("feats", *FIELDS)}
    np.savez(tmp_path / "x.npz", **arrays | {"pids": np.array([1, 2, 2**63], dtype=np.uint64)})
    with pytest.raises(UserError, match="pids has 9223372036854775808"):
        load_features(tmp_path / "x.npz")


def test_columns_of_several_lengths_are_refused(tmp_path):
    """Without a column of distractors, too: that is guessed from the others."""
    np.savez(
        tmp_path / "f.npz",
        feats=np.ones((4, 2)),
        pids=np.arange(4),
        camids=np.arange(4),
        roles=np.array(["query", "gallery"] * 2),
        datasets=np.full(3, "shop"),
    )
    with pytest.raises(UserError, match=r"f\.npz: datasets must have one entry per embedding"):
        load_features(tmp_path / "f.npz")
