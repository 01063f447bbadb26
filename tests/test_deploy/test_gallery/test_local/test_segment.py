"""A part of the index: exact float16 inner products, rows removed and overwritten."""

import builtins

import numpy as np
import pytest
from helpers.galleries import vectors

from mmreid_ext.deploy.gallery.local.segment import Segment, import_faiss
from mmreid_ext.errors import MissingPackageError


def filled(count=50):
    segment = Segment(16)
    codes = vectors(count).astype(np.float16)
    numbers = np.arange(count)
    segment.add(codes, numbers + 100, numbers.astype(np.int32), numbers.astype(np.int32), numbers)
    return segment, codes


def test_codes_are_kept_bit_for_bit():
    segment, codes = filled()
    assert np.array_equal(segment.codes(), codes) and len(segment) == 50


def test_room_is_no_limit_and_no_content():
    segment, codes = Segment(16, room=20), vectors(50).astype(np.float16)
    assert len(segment.codes()) == 0
    numbers = np.arange(50)
    for part in (slice(0, 15), slice(15, 50)):
        segment.add(codes[part], *[numbers[part]] * 4)
    assert np.array_equal(segment.codes(), codes)
    assert segment.search(codes[:1].astype(np.float32), 1, None)[1].tolist() == [[0]]


def test_marked_rows_are_removed_and_overwritten():
    segment, codes = filled()
    gone = np.arange(50) % 3 == 0
    rest = segment.without(gone)
    assert np.array_equal(rest.codes(), codes[~gone]) and not segment.codes().any()
    assert np.array_equal(rest.ids, np.arange(100, 150)[~gone])
    assert np.array_equal(rest.times, np.arange(50)[~gone])
    assert len(rest.without(np.ones(len(rest), dtype=bool))) == 0


def test_masked_rows_are_not_found():
    segment, codes = filled()
    mask = np.arange(50) % 7 == 0
    values, ids = segment.search(vectors(2, seed=1), 20, mask)
    wanted = (vectors(2, seed=1).astype(np.float64) @ codes.astype(np.float64).T)[:, mask]
    assert (ids >= 0).sum() == 2 * mask.sum() and set(ids[0]) == {-1, *(np.arange(0, 50, 7) + 100)}
    assert np.allclose(values[:, : mask.sum()], -np.sort(-wanted, axis=1), atol=1e-6)


def test_without_faiss(monkeypatch):
    real = builtins.__import__

    def no_faiss(name, *rest, **kwargs):
        if name == "faiss":
            raise ImportError(name)
        return real(name, *rest, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_faiss)
    with pytest.raises(MissingPackageError, match=r"mmreid_ext\[gallery\]"):
        import_faiss()
