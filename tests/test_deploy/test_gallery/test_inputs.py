"""Embeddings and columns are checked before anything is kept."""

import datetime as dt

import numpy as np
import pytest
from helpers.galleries import MODEL, vectors

from mmreid_ext.deploy.gallery import Filters, Gallery
from mmreid_ext.deploy.gallery.inputs import checked_filters, moment, stored_form
from mmreid_ext.errors import UserError


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MODEL) as opened:
        yield opened


def with_row(value):
    rows = vectors(10)
    rows[7] = value
    return rows


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (with_row(np.nan), "row 7 holds NaN or infinity"),
        (with_row(np.inf), "row 7 holds NaN"),
        (with_row(0), "row 7 is zero"),
        (vectors(3, size=8), r"shape \(3, 8\), must be \(N, 16\).*best\.onnx"),
        (vectors(1)[0], r"shape \(16,\)"),
        ([["a"] * 16], "array of numbers"),
        ([[1.0] * 16, [1.0]], "rows differ in length"),
        (np.ones((2, 16), dtype=complex), "complex"),
    ],
)
def test_embeddings_that_are_none(gallery, given, message):
    with pytest.raises(UserError, match=message):
        gallery.add(given)
    assert gallery.info().rows == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (dict(hashes=[b"a"]), "1 entries for 2"),
        (dict(hashes=["a", "b"]), r"hashes\[0\] must be 1 to 64 bytes"),
        (dict(hashes=[b"a", b"b" * 65]), r"hashes\[1\] must be 1 to 64 bytes"),
        (dict(identities="ab"), "must be a list"),
        (dict(identities=[None, ""]), r"identities\[1\]=.*not empty"),
        (dict(cameras=[1, 2]), r"cameras\[0\]=1 must be text"),
        (dict(sources=["a\udc80", "b"]), "no valid text"),
        (dict(times=[0, float("nan")]), r"times\[1\]=nan must be unix"),
        (dict(times=[0, 10**400]), r"times\[1\]=1000.*… must be unix"),
        (dict(times=["noon", 0]), "unix seconds"),
        (dict(thumbnails=[b"PNG", None]), "JPEG"),
    ],
)
def test_columns_that_are_none(gallery, columns, message):
    with pytest.raises(UserError, match=message):
        gallery.add(vectors(2), **columns)
    assert gallery.info().rows == 0


def test_rows_are_scaled_to_length_one():
    rows = vectors(50)
    kept = rows.astype(np.float16)
    assert np.array_equal(stored_form(rows * 37, "x"), stored_form(rows, "x"))
    # What was stored once comes back bit for bit: rounding is no reason to scale again.
    assert np.array_equal(stored_form(kept, "x"), kept)
    tiny = np.zeros((1, 16), dtype=np.float32)
    tiny[0, 3] = 1e-30
    assert stored_form(tiny, "x")[0, 3] == 1


@pytest.mark.parametrize("size", [2, 3, 512, 2048])
def test_rounded_rows_are_kept_at_every_size(size):
    kept = stored_form(vectors(200, size=size, people=200), "x")
    assert np.array_equal(stored_form(kept, "x"), kept)


def test_whole_numbers_and_double_precision(gallery):
    assert gallery.add(np.eye(16, dtype=int)).added == 16
    assert gallery.add(vectors(2).astype(np.float64)).added == 2


def test_a_moment_without_a_zone_is_utc():
    assert moment(dt.datetime(1970, 1, 1, 1), "t") == 3600
    assert moment(7, "t") == 7.0
    with pytest.raises(UserError, match="t=True"):
        moment(True, "t")


def test_filters_become_plain():
    found = checked_filters(Filters(cameras=("a", "b"), since=dt.datetime(1970, 1, 1, 0, 1)))
    assert found == Filters(cameras=["a", "b"], since=60.0)
    assert checked_filters(None) == Filters()
