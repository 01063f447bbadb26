"""Small files that declare gigabytes are refused before a byte of them is allocated."""

import io
import re
import tarfile
import zipfile

import pytest
import torch

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.integrity import read_header
from mmreid_ext.checkpoint.limits import declared_sizes
from mmreid_ext.checkpoint.limits.declared_sizes import ROOM, check_content
from mmreid_ext.checkpoint.plain import TAG
from mmreid_ext.errors import UserError


def saved(tmp_path, content, **options):
    path = tmp_path / "small.pth"
    torch.save(content, path, **options)
    assert path.stat().st_size < 100_000
    return path


def rewritten(path, change, compression=zipfile.ZIP_STORED):
    """Write an archive again, its parts changed by ``change(name, content)``."""
    target = path.with_name("changed.pth")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def refused(path, reason):
    with pytest.raises(UserError, match=reason) as error:
        safe_load(path, map_location="cpu")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: dict(w=torch.zeros(1).expand(2**30)), id="a stride of zero"),
        pytest.param(
            lambda: {
                "x": {
                    **{TAG: "ndarray", "dtype": "|u1", "shape": (2**32,)},
                    "data": torch.zeros(1, dtype=torch.uint8).expand(2**32),
                }
            },
            id="a stored array",
        ),
        pytest.param(
            lambda: dict(w=torch.sparse_coo_tensor([[0]], [1.0], (2**40,), check_invariants=True)),
            id="a sparse tensor",
        ),
    ],
)
def test_one_number_that_stands_for_a_billion(tmp_path, content):
    refused(saved(tmp_path, content()), "one tensor would take [0-9.]+ GB, and the file has")


def test_lists_within_lists(tmp_path):
    nested = ["x"]
    for _ in range(40):
        nested = [nested, nested]
    refused(saved(tmp_path, dict(meta=nested)), "its lists would take")
    endless = []
    endless.append(endless)
    refused(saved(tmp_path, dict(meta=endless)), "its lists would take")


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.int64, torch.bfloat16])
def test_a_storage_that_is_longer_than_its_part(tmp_path, dtype, monkeypatch):
    """PyTorch 2.1 would read what lies behind it in the memory."""
    monkeypatch.setattr(declared_sizes, "CHECKED_BY_PYTORCH", False)
    path = saved(tmp_path, dict(w=torch.arange(4, dtype=dtype)))
    assert torch.equal(safe_load(path)["w"], torch.arange(4, dtype=dtype))

    def lengthen(name, content):
        return content.replace(b"K\x04", b"K\x05") if name.endswith("data.pkl") else content

    size = dtype.itemsize
    reason = rf"damaged or incomplete: a storage of {5 * size} bytes stands in a part of {4 * size}"
    refused(rewritten(path, lengthen), reason)


def test_deflated_parts(tmp_path):
    path = saved(tmp_path, dict(w=torch.zeros(4)))

    def inflate(name, content):
        return bytes(3 * ROOM) if name.endswith("/data/0") else content

    big = rewritten(path, inflate, zipfile.ZIP_DEFLATED)
    refused(big, "its parts would take 0.20 GB")
    assert read_header(big) is None
    honest = rewritten(path, lambda name, content: content, zipfile.ZIP_DEFLATED)
    assert safe_load(honest)["w"].shape == (4,)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
def test_a_bytearray(tmp_path, old):
    path = saved(tmp_path, dict(w="text"), _use_new_zipfile_serialization=not old)
    asks = b"c__builtin__\nbytearray\n\x8a\x05\x00\x00\x00\x00\x01\x85R"

    def plant(content):
        return re.sub(rb"X\x04\x00\x00\x00textq.", lambda _: asks, content)

    if old:
        path.write_bytes(plant(path.read_bytes()))
    else:
        path = rewritten(path, lambda name, c: plant(c) if name.endswith("data.pkl") else c)
    refused(path, "it holds a bytearray")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
def test_storage_that_is_not_there(tmp_path, old):
    path = saved(tmp_path, dict(w=torch.zeros(4)), _use_new_zipfile_serialization=not old)

    def enlarge(content):
        return re.sub(
            rb"(cpuq.)K\x04", lambda m: m.group(1) + b"J\xff\xff\xff\x7f", content, count=1
        )

    if old:
        path.write_bytes(enlarge(path.read_bytes()))
        refused(path, "its storages would take 2.15 GB")
    else:
        path = rewritten(path, lambda name, c: enlarge(c) if name.endswith("data.pkl") else c)
        refused(path, "damaged or incomplete")


def test_programs_and_archives_of_old_are_named(tmp_path):
    traced = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    traced.save(str(tmp_path / "script.pth"))
    refused(tmp_path / "script.pth", "TorchScript archive, a program and no checkpoint")
    with tarfile.open(tmp_path / "tar.pth", "w") as archive:
        entry = tarfile.TarInfo("storages")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    refused(tmp_path / "tar.pth", "tar archive")


def test_honest_files_pass(tmp_path):
    shared = torch.zeros(1000)
    content = dict(
        state_dict=dict(a=shared, b=shared, c=shared[::2], d=torch.zeros(0), e=torch.tensor(1)),
        meta=dict(names=["x"] * 1000, nested=[[1, 2], {"a": (3,)}]),
    )
    for old in (False, True):
        path = saved(tmp_path, content, _use_new_zipfile_serialization=not old)
        assert safe_load(path)["meta"] == content["meta"]
    with open(path, "rb") as stream:
        stream.seek(0)
        assert safe_load(stream)["meta"] == content["meta"]


def test_the_limit_grows_with_the_file():
    tensor = torch.zeros(1).expand(ROOM)  # four bytes each
    with pytest.raises(UserError):
        check_content([tensor], "x", ROOM // 8)
    check_content([tensor], "x", ROOM)
