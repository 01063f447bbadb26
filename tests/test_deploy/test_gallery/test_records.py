"""Plain data of galleries."""

from helpers.galleries import MODEL, THRESHOLDS, columns, jpeg, vectors

from mmreid_ext.deploy.gallery.records import GalleryModel, Rows


def test_thresholds_are_those_of_one_test_set():
    assert MODEL.thresholds == list(THRESHOLDS)
    assert GalleryModel("a", "b", 3).thresholds == []


def test_a_part_of_rows_has_all_columns():
    rows = Rows(vectors(5), **columns(5), thumbnails=[jpeg()] * 5, ids=[1, 2, 3, 4, 5])
    part = rows.part(1, 3)
    assert len(rows) == 5 and len(part) == 2 and part.ids == [2, 3]
    assert part.sources == rows.sources[1:3] and (part.embeddings == vectors(5)[1:3]).all()
