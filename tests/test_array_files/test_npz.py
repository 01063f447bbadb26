"""Archives of arrays are read as data, and never fill the memory."""

import io
import resource
import zipfile

import numpy as np
import pytest

from mmreid_ext.array_files.npz import ROOM, ArrayFileError, read_npz

ARRAYS = dict(
    feats=np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32),
    names=np.array(["ä.jpg", "b" * 40]),
    flags=np.array([True, False]),
    one=np.array("text"),
    none=np.zeros((0, 3)),
    turned=np.asfortranarray(np.arange(6).reshape(2, 3)),
)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path, save):
    save(tmp_path / "x.npz", **ARRAYS)
    found = read_npz(tmp_path / "x.npz")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def member(shape, dtype="<f4", content=b""):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


def write(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


@pytest.mark.parametrize(
    "members, reason",
    [
        (dict(feats=member("(100000000000,)")), "shorter than it says"),
        (dict(feats=member("(2, 2)", content=bytes(15))), "shorter than it says"),
        (dict(feats=member("(1,)", "|O", b"\x80\x04N.")), "Python objects"),
        (dict(feats=b"text"), "magic string"),
        (dict(feats=member("(-3,)")), "negative|shape|dimensions"),
    ],
)
def test_arrays_that_are_not_there(tmp_path, members, reason):
    write(tmp_path / "x.npz", **members)
    with pytest.raises(ArrayFileError, match=reason):
        read_npz(tmp_path / "x.npz")


def test_deflated_gigabytes_are_refused_unread(tmp_path):
    content = member(f"({ROOM},)", content=bytes(4 * ROOM))
    write(tmp_path / "x.npz", zipfile.ZIP_DEFLATED, feats=content)
    del content
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ArrayFileError, match="would take 0.27 GB, and the file has"):
        read_npz(tmp_path / "x.npz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_damaged_files(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **ARRAYS)
    whole, path = buffer.getvalue(), tmp_path / "x.npz"
    draw = np.random.default_rng(0)
    for end in (0, 1, 100, len(whole) - 30):
        path.write_bytes(whole[:end])
        with pytest.raises(ArrayFileError):
            read_npz(path)
    for _ in range(300):
        changed = bytearray(whole)
        changed[draw.integers(len(whole))] = draw.integers(256)
        path.write_bytes(changed)
        try:
            read_npz(path)
        except ArrayFileError as error:
            assert str(error)
