"""Galleries: embedded now or stored, of the present model only."""

import os

import numpy as np
import pytest
from helpers.small_checkpoint import write_small_checkpoint

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.apis.embedding.gallery import open_gallery
from mmreid_ext.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    write_small_checkpoint(folder)
    write_small_checkpoint(folder, "other.pth", seed=1)
    return folder


@pytest.fixture(scope="module")
def inferencer(folder):
    return ReIDInferencer(folder / "model.pth", device="cpu")


def test_a_folder_is_embedded_and_its_lost_pictures_are_named(folder, inferencer, tmp_path):
    os.symlink(folder / "0.png", tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    gallery = open_gallery(str(tmp_path), folder / "model.pth", inferencer)
    assert gallery.images.names.tolist() == ["a.png"] and gallery.folder == tmp_path
    assert np.array_equal(gallery.images.feats.numpy(), inferencer([folder / "0.png"]).numpy())
    assert list(gallery.unreadable) == ["b.png"]
    assert sorted(os.listdir(tmp_path)) == ["a.png", "b.png"], "nothing is left behind"


def test_a_kept_gallery_is_the_same_and_belongs_to_its_model(folder, inferencer, tmp_path):
    kept = tmp_path / "kept.npz"
    table = folder / "list.csv"
    table.write_text("path,pid\n0.png,lea\n1.png,tom\n")
    now = open_gallery(str(table), folder / "model.pth", inferencer, save=kept)
    later = open_gallery(str(kept), folder / "model.pth", inferencer)
    assert np.array_equal(now.images.feats.numpy(), later.images.feats.numpy())
    assert later.folder is None and set(later.pid_names.values()) == {"lea", "tom"}
    other = ReIDInferencer(folder / "other.pth", device="cpu")
    with pytest.raises(UserError, match=r"another model: model\.pth .* now other\.pth"):
        open_gallery(str(kept), folder / "other.pth", other)


def test_rows_of_a_query(folder, inferencer, tmp_path):
    (tmp_path / "lea").mkdir()
    for name in ("lea/1.png", "1.png"):
        (tmp_path / name).write_bytes((folder / "0.png").read_bytes())
    gallery = open_gallery(str(tmp_path), folder / "model.pth", inferencer)
    assert gallery.images.names.tolist() == ["1.png", "lea/1.png"]
    queries = [str(tmp_path / "lea" / ".." / "lea" / "1.png"), str(tmp_path / "no.png")]
    assert gallery.own_places(queries) == [{1}, set()]
    gallery.folder = None
    assert gallery.own_places(queries) == [{0, 1}, set()], "each name may be the query's"


def test_a_gallery_without_a_readable_picture_is_no_gallery(folder, inferencer, tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    kept = tmp_path / "kept.npz"
    with pytest.raises(UserError, match="none of 1 pictures can be read, first a.png: Cannot read"):
        open_gallery(str(tmp_path), folder / "model.pth", inferencer, save=kept)
    with pytest.raises(UserError, match="kept.npz holds no embedding"):
        open_gallery(str(kept), folder / "model.pth", inferencer)
