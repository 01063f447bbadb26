"""The newest good checkpoint of a folder, whatever happened to the others."""

import re
import shutil

import pytest
import torch
from helpers.tiny_loops import ITERS, make_runner

from mmreid_ext.checkpoint.resume import latest
from mmreid_ext.checkpoint.resume.latest import newest_good
from mmreid_ext.errors import MissingFileError


def save(folder, step, time, **changes):
    meta = dict(iter=step, epoch=0, time=f"20260101_{time:06d}")
    content = dict(meta=meta, state_dict=dict(w=torch.rand(2000)), optimizer={}) | changes
    torch.save({k: v for k, v in content.items() if v is not None}, folder / f"iter_{step}.pth")


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of iterations 1 to 3, and of an earlier and longer run."""
    save(tmp_path, 100, time=0)
    for step in (1, 2, 3):
        save(tmp_path, step, time=10 + step)
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_3.pth"))
    torch.save(dict(state_dict={}, meta=dict(iter=9, epoch=0, time="3")), tmp_path / "best.pth")
    return tmp_path


@pytest.fixture
def said(monkeypatch):
    """Warnings, whatever the log is set to."""
    texts = []
    monkeypatch.setattr(latest, "warn", texts.append)
    return texts


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


DAMAGE = {
    "truncated": lambda f: cut(f / "iter_3.pth"),
    "empty": lambda f: (f / "iter_3.pth").write_bytes(b""),
    "flipped": lambda f: flip(f / "iter_3.pth"),
    "text": lambda f: (f / "iter_3.pth").write_text("moved to the archive"),
    "deleted": lambda f: (f / "iter_3.pth").unlink(),
    "best one named": lambda f: (
        (f / "iter_3.pth").unlink(),
        (f / "last_checkpoint").write_text(str(f / "best.pth")),
    ),
    "no optimiser": lambda f: save(f, 3, time=13, optimizer=None),
}
POINTER = {
    "missing": lambda p: p.unlink(),
    "empty": lambda p: p.write_text(""),
    "zeros": lambda p: p.write_bytes(b"\0" * 20),
    "no text": lambda p: p.write_bytes(b"\xff\xfe\x80"),
    "moved folder": lambda p: p.write_text("/nowhere/run/iter_3.pth"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_newest_file_gives_way_to_the_one_before(folder, said, name):
    DAMAGE[name](folder)
    assert newest_good(folder, [folder]) == str(folder / "iter_2.pth")
    assert re.search("(best|iter_3).*goes on from .*iter_2", said[0])


@pytest.mark.parametrize("name", POINTER)
def test_pointer_that_leads_nowhere(folder, said, name):
    POINTER[name](folder / "last_checkpoint")
    assert newest_good(folder, [folder]) == str(folder / "iter_3.pth")
    assert re.search("last_checkpoint.*goes on from .*iter_3", said[0])


@pytest.mark.parametrize("name", POINTER)
def test_both_at_once(folder, said, name):
    POINTER[name](folder / "last_checkpoint")
    flip(folder / "iter_3.pth")
    assert newest_good(folder, [folder]) == str(folder / "iter_2.pth")
    assert re.search("iter_3.*damaged.*goes on from .*iter_2", said[0])


def test_good_folder_says_nothing(folder, said):
    assert newest_good(folder, [folder]) == str(folder / "iter_3.pth")
    (folder / "last_checkpoint").write_text(str(folder / "iter_2.pth"))  # the user's choice
    assert newest_good(folder, [folder]) == str(folder / "iter_2.pth")
    assert not said


def test_copied_folder_goes_on_with_its_own_files(folder, said, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copies") / "run"
    shutil.copytree(folder, copy)
    assert newest_good(copy, [copy]) == str(copy / "iter_3.pth")
    assert "not in this folder" in said[0]


def test_nothing_good_is_an_error_that_names_all(folder):
    for path in folder.glob("*.pth"):
        cut(path)
    with pytest.raises(MissingFileError, match="nothing to resume.*iter_3") as error:
        newest_good(folder, [folder])
    names = [f"iter_{step}.pth is damaged" for step in (1, 2, 3, 100)]
    assert all(name in str(error.value) for name in names)
    assert "\n" not in str(error.value)


def test_run_goes_on_from_the_file_before_and_from_another_folder(tmp_path, said):
    """``out_dir`` of the hook is where the checkpoints are; ``last_checkpoint`` isn't there."""
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, out_dir=str(tmp_path / "out"))
    run = dict(default_hooks=dict(checkpoint=hook))
    whole = make_runner(tmp_path / "run", **run)
    whole.train()
    expected = {name: value.clone() for name, value in whole.model.state_dict().items()}
    cut(tmp_path / "out" / "run" / f"iter_{ITERS}.pth")
    resumed = make_runner(tmp_path / "run", resume=True, **run)
    resumed.train()
    assert re.search(f"goes on from .*iter_{ITERS - 1}", said[0])
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name])
