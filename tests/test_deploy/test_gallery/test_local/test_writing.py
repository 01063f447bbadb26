"""Changes are whole: adding, deleting, naming."""

import pytest
from helpers.galleries import MODEL, columns, jpeg, vectors

from mmreid_ext.deploy.gallery import Gallery
from mmreid_ext.deploy.gallery.local import writing


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MODEL) as opened:
        yield opened


def test_more_than_one_statement_takes(gallery):
    table = columns(2000)
    assert gallery.add(vectors(2000), **table).added == 2000
    more = columns(2500, seed=1)
    more["hashes"][300:2300] = table["hashes"]
    again = gallery.add(vectors(2500, seed=1), **more)
    assert (again.added, again.known) == (500, 2000)
    assert again.ids[300:2300] == list(range(1, 2001))
    assert gallery.delete(ids=range(1, 1951)) == 1950
    assert gallery.info().rows == 550


def test_an_error_in_the_middle_leaves_nothing(gallery, monkeypatch):
    gallery.add(vectors(3))
    real = writing.marks

    def breaks(values):
        raise KeyboardInterrupt

    rows = vectors(4, seed=1)
    with pytest.raises(KeyboardInterrupt), gallery.store._writer.transaction() as raw:
        raw.execute("DELETE FROM images WHERE id = 1")
        monkeypatch.setattr(writing, "marks", breaks)
        writing.add_rows(raw, _rows_of(rows))
    monkeypatch.setattr(writing, "marks", real)
    assert gallery.info().rows == 3 and gallery.add(rows).added == 4


def _rows_of(rows):
    from mmreid_ext.deploy.gallery.inputs import checked_rows

    names = ("hashes", "identities", "cameras", "times", "sources", "thumbnails")
    return checked_rows(rows, "x", **dict.fromkeys(names))


def test_a_person_is_forgotten(gallery):
    names = ["anna", "ben", "anna", None]
    gallery.add(vectors(4), identities=names, thumbnails=[jpeg(n) for n in range(4)])
    assert gallery.delete(identity="anna") == 2
    assert gallery.people() == {"ben": 1} and gallery.thumbnail(1) is None
    assert gallery.thumbnail(2) == jpeg(1) and gallery.info().thumbnails == 2


def test_naming_counts_what_is_there(gallery):
    gallery.add(vectors(3))
    assert gallery.label([1, 3, 3, 77], "anna") == 2 and gallery.people() == {"anna": 2}
