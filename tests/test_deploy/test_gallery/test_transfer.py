"""Pictures are moved in batches, each whole, and a second time changes nothing."""

import pytest
from helpers.galleries import MODEL, columns, vectors

from mmreid_ext.deploy.gallery import Gallery, transfer


def test_an_interrupted_copy_goes_on(tmp_path):
    with Gallery(tmp_path / "a.db", MODEL) as one, Gallery(tmp_path / "b.db", MODEL) as other:
        one.add(vectors(50), **columns(50))

        def stop(count):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            one.copy_to(other, batch=20, progress=stop)
        assert other.info().rows == 20
        done = []
        result = one.copy_to(other, batch=20, progress=done.append)
        assert (result.added, result.known, done) == (30, 20, [20, 20, 10])
        assert result.ids == list(range(1, 51)) and other.get(result.ids) == one.get(result.ids)


def test_a_file_of_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "BATCH", 7)
    with Gallery(tmp_path / "a.db", MODEL) as one, Gallery(tmp_path / "b.db", MODEL) as other:
        one.add(vectors(20), **columns(20))
        one.export(tmp_path / "f.npz")
        assert other.take(tmp_path / "f.npz").ids == list(range(1, 21))
        assert other.get(range(1, 21)) == one.get(range(1, 21))
