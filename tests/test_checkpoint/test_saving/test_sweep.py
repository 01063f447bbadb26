"""What the last moments of a killed run left behind goes when it is resumed, and nothing else."""

import shutil

import pytest
from helpers.equal_states import assert_same
from helpers.tiny_loops import ITERS, Interrupted, StopAfter, make_runner

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.saving import one_save
from mmreid_ext.checkpoint.saving.superfluous import KEY


def hook(**settings):
    first = dict(type="CheckpointHook", by_epoch=False, interval=1, max_keep_ckpts=2)
    return dict(default_hooks=dict(checkpoint=first | settings))


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


def killed_before_removal(folder, monkeypatch, at=4, **settings):
    """A run that ends between the pointer and the removal of what it made superfluous."""

    def die(remove, path):
        if path.endswith(f"_{at - 2}.pth"):
            raise Interrupted
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(one_save, "remove_if_possible", die)
        with pytest.raises(Interrupted):
            make_runner(folder, **hook(**settings)).train()


def test_surplus_checkpoint_is_swept(tmp_path, monkeypatch):
    killed_before_removal(tmp_path, monkeypatch)
    assert names(tmp_path) == ["iter_2.pth", "iter_3.pth", "iter_4.pth"]
    other = tmp_path / "iter_2_of_mine.pth"
    shutil.copy(tmp_path / "iter_2.pth", other)
    stopped = make_runner(tmp_path, resume=True, **hook())
    stopped.register_hook(StopAfter(5))
    seen = []
    before_iter = stopped.hooks[-1].before_train_iter
    stopped.hooks[-1].before_train_iter = lambda *a, **k: (
        seen.append(names(tmp_path)),
        before_iter(*a, **k),
    )
    with pytest.raises(Interrupted):
        stopped.train()
    assert seen[0] == ["iter_2_of_mine.pth", "iter_3.pth", "iter_4.pth"]  # before the first step
    assert names(tmp_path) == ["iter_2_of_mine.pth", "iter_4.pth", "iter_5.pth"]


def test_run_swept_equals_an_undisturbed_one(tmp_path, monkeypatch):
    whole = make_runner(tmp_path / "whole", **hook())
    whole.train()
    killed_before_removal(tmp_path / "run", monkeypatch)
    resumed = make_runner(tmp_path / "run", resume=True, **hook())
    resumed.train()
    assert names(tmp_path / "run") == names(tmp_path / "whole")
    assert_same(resumed.model.state_dict(), whole.model.state_dict())
    assert safe_load(tmp_path / "run" / f"iter_{ITERS}.pth")["message_hub"]["runtime_info"][
        KEY
    ] == [f"iter_{ITERS - 2}.pth"]


def test_other_folders_files_stay(tmp_path, monkeypatch):
    """A checkpoint from elsewhere knows the names of elsewhere."""
    killed_before_removal(tmp_path / "elsewhere", monkeypatch)
    folder = tmp_path / "here"
    make_runner(folder, **hook(max_keep_ckpts=-1)).train()
    before = names(folder)
    file = tmp_path / "elsewhere" / "iter_4.pth"
    make_runner(folder, resume=True, load_from=str(file), **hook()).train()
    assert names(folder) == before
    assert names(tmp_path / "elsewhere") == ["iter_2.pth", "iter_3.pth", "iter_4.pth"]


@pytest.mark.parametrize("name", ["../victim.pth", "victim.pth", "iter_3.pth.bak"])
def test_names_that_a_run_does_not_give_stay(tmp_path, monkeypatch, name):
    folder = tmp_path / "run"
    note = one_save.OneSave.keep

    def name_another(one, hook):
        one.runner.message_hub.update_info(KEY, [name])
        note(one, hook)

    monkeypatch.setattr(one_save.OneSave, "keep", name_another)
    stopped = make_runner(folder, **hook())
    stopped.register_hook(StopAfter(3))
    victim = folder / name
    victim.write_bytes(b"dear")
    with pytest.raises(Interrupted):
        stopped.train()
    make_runner(folder, resume=True, **hook()).train()
    assert victim.read_bytes() == b"dear"


def test_checkpoint_that_was_asked_for_goes_with_the_next(tmp_path):
    from mmreid_ext.checkpoint.saving import save_now

    settings = dict(epochs=True, **hook(by_epoch=True, max_keep_ckpts=-1))

    class Ask(StopAfter):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter + 1 == self.iteration:
                save_now(runner)
                raise Interrupted

    for at, left in ((1, ["iter_1.pth"]), (2, ["iter_2.pth"])):
        runner = make_runner(tmp_path, resume=at > 1, **settings)
        runner.register_hook(Ask(at))
        with pytest.raises(Interrupted):
            runner.train()
        assert names(tmp_path) == left
    make_runner(tmp_path, resume=True, **settings).train()
    assert names(tmp_path) == ["epoch_1.pth", "epoch_2.pth"]


def test_resumed_run_writes_the_files_of_an_undisturbed_one(tmp_path):
    """MMEngine saves again at a new best, unless it has just been resumed."""
    settings = hook(interval=3, save_best="score", rule="greater", max_keep_ckpts=-1)
    make_runner(tmp_path / "whole", **settings).train()
    assert {"iter_3.pth", "iter_4.pth", "best_score_iter_4.pth"} <= set(names(tmp_path / "whole"))
    stopped = make_runner(tmp_path / "run", **settings)
    stopped.register_hook(StopAfter(3))
    with pytest.raises(Interrupted):
        stopped.train()
    make_runner(tmp_path / "run", resume=True, **settings).train()
    assert names(tmp_path / "run") == [n for n in names(tmp_path / "whole") if "iter_2" not in n]
