"""Room is made only where nothing can be lost by it."""

import errno

import pytest
import torch

from mmreid_ext.checkpoint.saving.full_disk import is_full, is_short, make_room, room_can_help


@pytest.fixture
def files(tmp_path):
    """Three whole checkpoints; ``last_checkpoint`` names the newest."""
    paths = [str(tmp_path / f"iter_{step}.pth") for step in (1, 2, 3)]
    for path in paths:
        torch.save(dict(state_dict={}, optimizer=dict(state=torch.ones(99)), meta={}), path)
    (tmp_path / "last_checkpoint").write_text(paths[-1])
    return tmp_path, paths


def test_oldest_goes_when_the_others_are_whole(files):
    folder, (first, *others) = files
    assert make_room([first], others, str(folder))
    assert sorted(p.name for p in folder.glob("*.pth")) == ["iter_2.pth", "iter_3.pth"]
    assert not make_room([first], others, str(folder))  # it is gone


def damage(path):
    with open(path, "r+b") as file:
        file.seek(-300, 2)
        file.write(b"!" * 100)


@pytest.mark.parametrize("cause", ["only one", "damaged", "pointer", "no pointer", "best"])
def test_nothing_goes_where_too_few_would_be_left(files, cause):
    folder, (first, second, third) = files
    others = [second, third]
    if cause == "only one":
        others = []
    if cause == "damaged":
        damage(second)
    if cause == "pointer":
        (folder / "last_checkpoint").write_text(first)
    if cause == "no pointer":
        (folder / "last_checkpoint").unlink()
    if cause == "best":
        torch.save(dict(state_dict={}, meta={}), third)  # no state of an optimiser
    assert not make_room([first], others, str(folder))
    assert len(list(folder.glob("*.pth"))) == 3


def test_errors_of_a_full_disk_are_told_from_others():
    full = [
        code for code in (28, errno.EDQUOT, errno.EFBIG, errno.EIO) if is_full(OSError(code, ""))
    ]
    assert full == [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]
    assert room_can_help(OSError(errno.ENOSPC, "")) and not room_can_help(OSError(errno.EFBIG, ""))


def test_room_is_compared_with_the_size(tmp_path):
    assert is_short(str(tmp_path), 2**62) and not is_short(str(tmp_path), 0)
    assert not is_short(str(tmp_path / "nowhere"), 2**62)
