"""A full disk costs neither the run nor a checkpoint that is there."""

import os
import subprocess

import pytest
from helpers.equal_states import assert_same
from helpers.small_disk import SmallDisk
from helpers.tiny_loops import ITERS, Interrupted, StopAfter, make_runner
from mmengine.fileio import LocalBackend

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.integrity import verify
from mmreid_ext.checkpoint.saving import around_hook, save_now
from mmreid_ext.errors import UserError


def hook(**settings):
    first = dict(type="CheckpointHook", by_epoch=False, interval=1, max_keep_ckpts=2)
    return dict(default_hooks=dict(checkpoint=first | settings))


def names(folder):
    return sorted(path.name for path in folder.glob("*") if ".pth" in path.name)


@pytest.fixture(scope="module")
def size(tmp_path_factory):
    """Bytes of a checkpoint."""
    folder = tmp_path_factory.mktemp("size")
    make_runner(folder, **hook()).train()
    return max((folder / name).stat().st_size for name in names(folder))


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("seen", [False, True])
def test_two_checkpoints_need_room_for_two(tmp_path, monkeypatch, size, seen, background):
    disk = SmallDisk(tmp_path, monkeypatch, seen)
    disk.size = int(2.5 * size)
    runner = make_runner(tmp_path, **hook(background=background))
    runner.train()
    assert names(tmp_path) == [f"iter_{ITERS - 1}.pth", f"iter_{ITERS}.pth"]
    if seen:  # that there is no room is known before
        assert disk.refused == 0 and disk.most == 2
    else:
        assert disk.refused == ITERS - 2


@pytest.mark.parametrize("background", [False, True])
def test_training_goes_on_without_room_and_nothing_is_lost(tmp_path, monkeypatch, size, background):
    disk = SmallDisk(tmp_path, monkeypatch)
    disk.size = int(1.5 * size)
    runner = make_runner(tmp_path, **hook(background=background))
    message = r"DISK FULL: .*iteration 2.*No space left.*last whole one: .*iter_1\.pth.*goes on"
    with (
        pytest.warns(UserWarning, match=message),
        pytest.raises(UserError, match="run has ended, and its last checkpoint could not"),
    ):
        runner.train()
    assert runner.iter == ITERS  # all iterations were made
    assert names(tmp_path) == ["iter_1.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_1.pth")
    disk.size = 2**60
    resumed = make_runner(tmp_path, resume=True, **hook())
    resumed.train()
    assert_same(resumed.model.state_dict(), runner.model.state_dict())


@pytest.mark.parametrize("background", [False, True])
def test_room_that_comes_back_is_used(tmp_path, monkeypatch, size, background):
    disk, write = SmallDisk(tmp_path, monkeypatch), around_hook.write_checkpoint

    def third_finds_none(plain, path):
        disk.size = int(1.5 * size) if plain["meta"]["iter"] == 3 else 2**60
        write(plain, path)

    monkeypatch.setattr(around_hook, "write_checkpoint", third_finds_none)
    runner = make_runner(tmp_path, **hook(background=background))
    with pytest.warns(UserWarning, match="DISK FULL.*iteration 3.*iter_2.pth"):
        runner.train()
    assert names(tmp_path) == ["iter_4.pth", "iter_5.pth"]
    hub = safe_load(tmp_path / "iter_5.pth")["message_hub"]["runtime_info"]
    assert hub["keep_ckpt_ids"] == [4, 5]


def test_run_stops_if_it_is_told_to(tmp_path, monkeypatch, size):
    disk = SmallDisk(tmp_path, monkeypatch)
    disk.size = int(1.5 * size)
    runner = make_runner(tmp_path, **hook(disk_full="stop"))
    with pytest.raises(UserError, match=r"DISK FULL.*iteration 2.*stops here.*--resume"):
        runner.train()
    assert runner.iter == 1 and names(tmp_path) == ["iter_1.pth"]


def test_checkpoint_that_was_asked_for_is_an_error_without_room(tmp_path, monkeypatch, size):
    disk = SmallDisk(tmp_path, monkeypatch)
    runner = make_runner(tmp_path, **hook(interval=2, background=True))
    runner.register_hook(StopAfter(3))
    with pytest.raises(Interrupted):
        runner.train()
    disk.size = int(1.5 * size)
    with pytest.raises(UserError, match=r"DISK FULL: the checkpoint after iteration 3 .*iter_2"):
        save_now(runner)
    assert names(tmp_path) == ["iter_2.pth"]


def test_only_checkpoint_is_never_removed_first(tmp_path, monkeypatch, size):
    disk = SmallDisk(tmp_path, monkeypatch)
    disk.size = int(1.5 * size)
    runner = make_runner(tmp_path, **hook(max_keep_ckpts=1))
    with pytest.warns(UserWarning, match="DISK FULL"), pytest.raises(UserError, match="has ended"):
        runner.train()
    assert names(tmp_path) == ["iter_1.pth"]


def test_best_score_is_that_of_the_best_file(tmp_path, monkeypatch, size):
    """A best file that found no room is no best file: the next good score is written."""
    write = around_hook.write_checkpoint

    def no_room_for_the_first(plain, path):
        if path.endswith("best_score_iter_2.pth"):  # of score 1; the next is better
            raise OSError(28, "No space left on device")
        write(plain, path)

    monkeypatch.setattr(around_hook, "write_checkpoint", no_room_for_the_first)
    best = hook(save_best="score", rule="greater", max_keep_ckpts=-1)
    runner = make_runner(tmp_path, **best)
    seen = []
    monkeypatch.setattr(
        runner.hooks[-1], "after_val_epoch", _noting(runner.hooks[-1].after_val_epoch, seen, runner)
    )
    with pytest.warns(UserWarning, match="DISK FULL"):
        runner.train()
    assert seen[0] == {}  # as before the validation
    assert [name for name in names(tmp_path) if "best" in name] == ["best_score_iter_4.pth"]


def _noting(call, seen, runner):
    def note(*args, **kwargs):
        call(*args, **kwargs)
        info = runner.message_hub.runtime_info
        seen.append({k: v for k, v in info.items() if k.startswith("best")})

    return note


def test_superfluous_files_go_after_the_new_one_and_the_pointer(tmp_path, monkeypatch):
    events, replace, unlink = [], os.replace, LocalBackend.remove
    monkeypatch.setattr(os, "replace", lambda a, b: (replace(a, b), events.append(b.name)))
    monkeypatch.setattr(
        LocalBackend,
        "remove",
        lambda self, path: (unlink(self, path), events.append(f"-{os.path.basename(path)}")),
    )
    settings = hook(save_best="score", rule="greater", max_keep_ckpts=1)
    make_runner(tmp_path, **settings).train()
    pointer = "last_checkpoint"
    two = ["iter_2.pth", pointer, "-iter_1.pth", "best_score_iter_2.pth", "iter_2.pth", pointer]
    four = ["iter_4.pth", pointer, "-iter_3.pth", "best_score_iter_4.pth", "iter_4.pth", pointer]
    assert events == [
        *["iter_1.pth", pointer],
        *two,
        *["iter_3.pth", pointer, "-iter_2.pth"],
        *[*four, "-best_score_iter_2.pth"],
        *["iter_5.pth", pointer, "-iter_4.pth"],
    ]


@pytest.fixture
def tmpfs(tmp_path):
    """A file system of its own, of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_real_disk_fills_up(tmpfs):
    """Also the logs, which are on the same disk."""
    runner = make_runner(tmpfs / "run", **hook(interval=1))
    filler = tmpfs / "filler"

    class Fill(StopAfter):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter + 1 == self.iteration:
                with open(filler, "wb", buffering=0) as file:
                    for _ in range(2**20):
                        try:
                            file.write(b"x" * 4096)
                        except OSError:
                            break

    runner.register_hook(Fill(2))
    with pytest.warns(UserWarning, match="DISK FULL.*iteration 3"), pytest.raises(UserError):
        runner.train()
    assert names(tmpfs / "run")[-1] == "iter_2.pth"
    filler.unlink()
    verify(tmpfs / "run" / "iter_2.pth")
    resumed = make_runner(tmpfs / "run", resume=True, **hook())
    resumed.train()
    assert_same(resumed.model.state_dict(), runner.model.state_dict())
