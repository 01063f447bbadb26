"""Features files of both kinds are read, and damaged ones are refused."""

import sys

import numpy as np
import pytest

from mmreid_ext.apis.stored_features import distinct_rows, is_features_file, read_embeddings
from mmreid_ext.errors import MissingFileError, MissingPackageError, UserError
from mmreid_ext.evaluation import EmbeddingSet


def test_names_of_features_files():
    found = [is_features_file(name) for name in ("a.npz", "a.parquet", "a.csv", "folder")]
    assert found == [True, True, False, False]


def test_what_is_no_features_file_is_refused(tmp_path, monkeypatch):
    for name in ("no.npz", "no.parquet"):
        with pytest.raises(MissingFileError, match="No features file"):
            read_embeddings(tmp_path / name)
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingPackageError, match="pip install pyarrow"):
            read_embeddings(tmp_path / "x.parquet")
    arrow = pytest.importorskip("pyarrow")
    with pytest.raises(UserError, match=r"x\.parquet is not a features file"):
        read_embeddings(tmp_path / "x.parquet")
    __import__("pyarrow.parquet").parquet.write_table(
        arrow.table({"embedding": [1.0]}), tmp_path / "x.parquet"
    )
    with pytest.raises(UserError, match=r"x\.parquet is not a features file"):
        read_embeddings(tmp_path / "x.parquet")


def test_an_image_of_two_sets_is_taken_once():
    feats = np.array([[1, 0], [0, 1], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    names = ["a.jpg", "", "a.jpg", "a.jpg", ""]  # the fourth has a name of another picture
    labels = np.zeros(5, dtype=int)
    images = EmbeddingSet(feats, labels, labels, ["gallery"] * 5, ["s", "s", "t", "t", "t"], names)
    assert distinct_rows(images).tolist() == [0, 1, 3, 4]
