"""The numbers of a gallery file."""

import os

from helpers.galleries import MODEL, vectors

from mmreid_ext.deploy.gallery import Gallery


def test_numbers_and_size_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Gallery("a.db", MODEL) as gallery:
        gallery.add(
            vectors(4),
            identities=["lea", "lea", "tom", None],
            cameras=["door", None, None, None],
            times=[5.0, None, 2.0, None],
            thumbnails=[b"\xff\xd8jpeg", None, None, None],
        )
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")  # the gallery stays where it was
        info = gallery.info()
    assert (info.rows, info.identities, info.cameras, info.unnamed) == (4, 2, 1, 1)
    assert (info.first, info.last, info.thumbnails, info.place) == (2.0, 5.0, 1, "a.db")
    assert info.bytes > os.path.getsize(tmp_path / "a.db") > 0 and info.model == MODEL
