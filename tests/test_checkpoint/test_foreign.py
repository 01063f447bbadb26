"""Objects in files that others have written come back, or are refused."""

import numpy as np
import pytest
from helpers.saved import Call, saved
from mmengine.logging import HistoryBuffer

from mmreid_ext.checkpoint import UnsafeCheckpointError

DTYPES = ["bool", "uint8", "int16", "int64", "float16", "float32", "float64", "complex64", ">f4"]


@pytest.mark.parametrize("dtype", [*DTYPES, "<U3", "S2"])
def test_numpy_arrays_written_by_others_come_back(loader, tmp_path, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    path = saved(tmp_path / "a.pth", {"c": array, "f": np.asfortranarray(array), "0": array[0, 0]})
    loaded = loader(path)
    for key in ("c", "f"):
        assert loaded[key].dtype == array.dtype
        np.testing.assert_array_equal(loaded[key], array)
        assert loaded[key].flags.writeable
    assert type(loaded["0"]) is type(array[0, 0]) and loaded["0"] == array[0, 0]


def test_history_buffer_written_by_others_comes_back(loader, tmp_path):
    buffer = HistoryBuffer([1, 2, 3], [1, 1, 2], max_length=7)
    loaded = loader(saved(tmp_path / "h.pth", [buffer]))[0]
    assert type(loaded) is HistoryBuffer
    assert loaded.max_length == 7
    assert loaded.statistics("mean", 2) == pytest.approx(5 / 3)
    loaded.update(4.0)
    assert loaded.current() == 4.0


@pytest.mark.parametrize("name", ["__globals__", "__reduce__", "update", "_statistics_methods"])
def test_getattr_reaches_four_methods_only(loader, tmp_path, name):
    path = saved(tmp_path / "bad.pth", Call(getattr, HistoryBuffer, name))
    with pytest.raises(UnsafeCheckpointError, match="getattr"):
        loader(path)
    other = saved(tmp_path / "other.pth", Call(getattr, np.ndarray, "mean"))
    with pytest.raises(UnsafeCheckpointError, match="getattr"):
        loader(other)
    allowed = saved(tmp_path / "good.pth", Call(getattr, HistoryBuffer, "mean"))
    assert loader(allowed) == "mean"  # inert: a name, not the method


@pytest.mark.parametrize(
    "array",
    [np.array([{}, []], dtype=object), np.zeros(2, dtype=[("a", "f4")])],
    ids=["object", "record"],
)
def test_arrays_that_could_hold_pointers_are_refused(loader, tmp_path, array):
    with pytest.raises(UnsafeCheckpointError, match="numpy.dtype"):
        loader(saved(tmp_path / "bad.pth", {"x": array}))
