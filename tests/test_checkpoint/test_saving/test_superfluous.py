"""Only a run's own names are ever superfluous."""

from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub

from mmreid_ext.checkpoint.saving.superfluous import (
    KEY,
    forget_removed,
    note_superfluous,
    still_superfluous,
)


@pytest.fixture
def run(tmp_path):
    hook = CheckpointHook(by_epoch=True, interval=1)
    hook.out_dir = str(tmp_path)
    return hook, SimpleNamespace(message_hub=MessageHub(str(tmp_path))), tmp_path


def test_own_files_that_are_there(run):
    hook, runner, folder = run
    for name in ("epoch_1.pth", "iter_7.pth", "iter_7.pth.old", "other.pth"):
        (folder / name).touch()
        note_superfluous(runner, str(folder / name))
    note_superfluous(runner, str(folder / "epoch_9.pth"))  # gone
    note_superfluous(runner, str(folder / "epoch_1.pth"))  # twice
    own = [str(folder / "epoch_1.pth"), str(folder / "iter_7.pth")]
    assert still_superfluous(hook, runner) == own
    (folder / "epoch_1.pth").unlink()
    forget_removed(hook, runner)
    assert runner.message_hub.get_info(KEY) == ["iter_7.pth"]


def test_list_of_a_run_without_any_stays_empty(run):
    hook, runner, _ = run
    forget_removed(hook, runner)
    assert KEY not in runner.message_hub.runtime_info and still_superfluous(hook, runner) == []


def test_object_stores_are_left_alone(run):
    hook, runner, folder = run
    note_superfluous(runner, str(folder / "epoch_1.pth"))
    hook.out_dir = "s3://bucket/run"
    assert still_superfluous(hook, runner) == []
