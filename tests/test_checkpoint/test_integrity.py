"""Damage of a file is noticed, whichever byte it hits; reading a header runs nothing."""

import io
import os
import pickle
import random

import pytest
import torch

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.integrity import read_header, verify
from mmreid_ext.errors import UserError

CONTENT = dict(
    meta=dict(iter=3, epoch=0, time="20260101_000000"),
    state_dict={str(i): torch.full((20, 20), float(i)) for i in range(3)},
    optimizer=dict(state={0: dict(step=torch.tensor(3.0))}),
)


@pytest.fixture
def file(tmp_path):
    torch.save(CONTENT, tmp_path / "a.pth")
    return tmp_path / "a.pth"


def same(loaded):
    weights = loaded["state_dict"].items()
    return loaded["meta"] == CONTENT["meta"] and all(
        torch.equal(value, CONTENT["state_dict"][name]) for name, value in weights
    )


def test_no_flipped_bit_passes_for_another_weight(file):
    whole, rng, refused = file.read_bytes(), random.Random(0), 0
    for _ in range(300):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        try:
            assert same(safe_load(file))  # a bit of the padding
        except UserError as error:
            assert "a.pth" in str(error)
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(file, part):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UserError, match=r"a\.pth"):
        safe_load(file)
    assert read_header(file) is None


def test_files_without_checksums_are_read(file, tmp_path):
    torch.save(CONTENT, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert same(safe_load(tmp_path / "old.pth"))
    if hasattr(torch.serialization, "set_crc32_options"):
        before = torch.serialization.get_crc32_options()
        try:
            torch.serialization.set_crc32_options(False)
            torch.save(CONTENT, file)
        finally:
            torch.serialization.set_crc32_options(before)
        assert same(safe_load(file))


def test_file_objects_keep_their_place(file):
    stream = io.BytesIO(file.read_bytes())
    verify(stream)
    assert stream.tell() == 0
    assert same(safe_load(stream))


def test_header_tells_progress_and_parts(file):
    header = read_header(file)
    assert header.keys == {"meta", "state_dict", "optimizer"}
    assert header.meta == CONTENT["meta"]


def test_header_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    torch.save(dict(meta=dict(iter=1), x=Evil()), tmp_path / "evil.pth")
    assert read_header(tmp_path / "evil.pth").meta == dict(iter=1)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [[1, 2], None])
def test_other_files_have_no_header(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(CONTENT["meta"]))
    assert read_header(tmp_path / "a.pth") is None
    assert read_header(tmp_path / "b.pth") is None
    assert read_header(tmp_path / "none.pth") is None
