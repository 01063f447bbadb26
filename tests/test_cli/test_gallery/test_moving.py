"""Galleries are copied; a copy that was interrupted goes on."""

import numpy as np
import pytest
from helpers.exported_model import info

pytest.importorskip("faiss")

from mmreid_ext.cli.gallery.moving import copy_gallery, take_features
from mmreid_ext.deploy import Gallery
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture
def place(tmp_path):
    with Gallery(tmp_path / "people.db", model=info(size=4)) as gallery:
        gallery.add(np.eye(4), identities=["lea", "lea", "tom", None])
    return str(tmp_path / "people.db")


def test_a_copy(place, tmp_path, capsys):
    other = str(tmp_path / "other.db")
    assert copy_gallery(place, other) == f"{other}: 4 pictures added; it holds 4"
    with Gallery(other) as copied:
        assert copied.people() == {"lea": 2, "tom": 1}
        copied.delete(identity="tom")
    assert (
        copy_gallery(place, other)
        == f"{other}: 1 picture added, 3 were there and stay as they are; it holds 4"
    )
    assert capsys.readouterr().out == ""


def test_what_cant_be_copied(place, tmp_path):
    (tmp_path / "link.db").symlink_to(place)
    for other in (place, str(tmp_path / "link.db")):
        with pytest.raises(UserError, match="are one gallery"):
            copy_gallery(place, other)
    with pytest.raises(MissingFileError):
        copy_gallery(str(tmp_path / "none.db"), str(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()
    with Gallery(tmp_path / "b.db", model=info(size=4, weights="ef" * 32)):
        pass
    with pytest.raises(UserError, match="another model"):
        copy_gallery(place, str(tmp_path / "b.db"))


def test_a_features_file(place, tmp_path):
    with Gallery(place) as gallery:
        gallery.export(tmp_path / "f.npz")
    other = str(tmp_path / "new.db")
    assert take_features(other, tmp_path / "f.npz") == f"{other}: 4 pictures added; it holds 4"
    again = take_features(other, tmp_path / "f.npz")
    assert again == f"{other}: 0 pictures added, 4 were there and stay as they are; it holds 4"
    with Gallery(other, model=info(size=4)) as gallery:  # of the same model, as the file says
        assert gallery.people() == {"lea": 2, "tom": 1}
    Gallery(tmp_path / "b.db", model=info(size=4, weights="ef" * 32)).close()
    with pytest.raises(UserError, match="another model"):
        take_features(str(tmp_path / "b.db"), tmp_path / "f.npz")


def test_a_file_of_another_program_needs_a_model(tmp_path):
    none = np.full(2, -1)
    roles = np.full(2, "gallery")
    np.savez(tmp_path / "f.npz", feats=np.eye(4)[:2], pids=none, camids=none, roles=roles)
    with pytest.raises(UserError, match="doesn't say which model made its embeddings.*add --model"):
        take_features(str(tmp_path / "new.db"), tmp_path / "f.npz")
    assert not (tmp_path / "new.db").exists()
    told = take_features(str(tmp_path / "new.db"), tmp_path / "f.npz", info(size=4))
    assert told.endswith("2 pictures added; it holds 2")
    assert take_features(str(tmp_path / "new.db"), tmp_path / "f.npz").endswith("it holds 2")
