"""Lists of ids in statements."""

from mmreid_ext.deploy.gallery.local.statements import MOST, chunks, marks


def test_chunks_hold_everything_once():
    values = list(range(2 * MOST + 1))
    parts = list(chunks(values))
    assert [len(part) for part in parts] == [MOST, MOST, 1] and sum(parts, []) == values
    assert list(chunks([])) == []


def test_a_mark_each():
    assert marks([1, 2, 3]) == "?,?,?" and marks([1]) == "?"
