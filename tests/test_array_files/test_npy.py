"""Mapped ``.npy`` files: what the header says must be there."""

import os

import numpy as np
import pytest

from mmreid_ext.array_files.npy import MappedArray
from mmreid_ext.array_files.npz import ArrayFileError

ARRAYS = [
    np.arange(12, dtype=np.float32).reshape(4, 3),
    np.asfortranarray(np.arange(12.0).reshape(4, 3)),
    np.array(["ä.jpg", "b" * 40]),
    np.array([True, False]),
    np.zeros((0, 3)),
    np.array(7),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_what_numpy_saves_is_mapped(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    mapped = MappedArray(tmp_path / "a.npy")
    assert mapped.array.dtype == array.dtype and np.array_equal(mapped.array, array)
    assert not mapped.array.size or not mapped.array.flags.writeable
    mapped.forget()
    assert np.array_equal(mapped.array, array)


def header(shape, dtype="<f4"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "EOF|magic|buffer"),
        (b"hello world", "magic"),
        (header((4, 3)) + bytes(47), "47 bytes follow"),
        (header((4, 3)) + bytes(49), "49 bytes follow"),
        (header((10**9, 10**3)) + bytes(48), "48 bytes follow"),
        (header((-4, -3)) + bytes(48), "48 bytes follow|shape"),
        (header((2**62, 2**62)) + bytes(48), "48 bytes follow"),
        (header((10**9,), "<U0"), "bytes follow"),
        (header((1,), "|O") + bytes(8), "Python objects"),
        (header("x") + bytes(8), ""),
        (header((4, 3))[:40], ""),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ArrayFileError, match=words):
        MappedArray(tmp_path / "a.npy")


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    for path in (tmp_path / "pipe.npy", tmp_path):
        with pytest.raises(ArrayFileError, match="no regular file"):
            MappedArray(path)
    with pytest.raises(FileNotFoundError):
        MappedArray(tmp_path / "none.npy")
