"""Checkpoints in the background are those of their moment, whole and in order."""

import threading

import pytest
from helpers.equal_states import assert_same
from helpers.tiny_loops import ITERS, Interrupted, StopAfter, make_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.saving import around_hook, save_now

SECONDS = 20
"""The longest wait of a test."""


def background(**settings):
    hook = dict(type="CheckpointHook", by_epoch=False, interval=2, background=True) | settings
    return dict(default_hooks=dict(checkpoint=hook))


class Remember(Hook):
    """Weights and states of the optimiser at each iteration, as the checkpoint sees them."""

    priority = "LOWEST"

    def __init__(self, gate=None, opens_at=None):
        self.states, self.gate, self.opens_at = {}, gate, opens_at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        done = runner.iter + 1
        states = dict(
            state_dict=runner.model.state_dict(), optimizer=runner.optim_wrapper.state_dict()
        )
        self.states[done] = _cloned(states)
        if done == self.opens_at:
            self.gate.set()


def _files(folder):
    names = {path.name for path in folder.iterdir() if path.is_file()}
    return {name for name in names if not name.endswith(".py")}  # the configuration, by time


def _cloned(value):
    if isinstance(value, dict):
        return {key: _cloned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cloned(item) for item in value]
    return value.clone() if hasattr(value, "clone") else value


@pytest.fixture
def held_up(monkeypatch):
    """Writing waits for the test."""
    gate, write, began = threading.Event(), around_hook.write_checkpoint, []

    def write_later(plain, path):
        began.append(path)
        assert gate.wait(SECONDS), "nobody let it write"
        write(plain, path)

    monkeypatch.setattr(around_hook, "write_checkpoint", write_later)
    gate.began = began
    yield gate
    gate.set()


def test_checkpoint_is_that_of_its_moment_although_training_goes_on(tmp_path, held_up):
    runner = make_runner(tmp_path, **background(interval=2))
    moments = Remember(held_up, opens_at=3)
    runner.register_hook(moments)
    runner.train()
    for done in (2, 4):
        saved = safe_load(tmp_path / f"iter_{done}.pth")
        for part in ("state_dict", "optimizer"):
            assert_same(_cloned(dict(saved[part])), _cloned(dict(moments.states[done][part])), part)


@pytest.mark.parametrize("settings", [{}, dict(save_best=True), dict(epochs=True, by_epoch=True)])
def test_run_resumed_from_it_equals_an_undisturbed_one(tmp_path, settings):
    hook = dict(interval=1, by_epoch=settings.get("by_epoch", False))
    if settings.get("save_best"):
        hook |= dict(save_best="score", rule="greater")
    whole = make_runner(tmp_path / "whole", **settings)
    whole.train()
    stopped = make_runner(tmp_path / "run", **settings, **background(**hook))
    stopped.register_hook(StopAfter(4))
    with pytest.raises(Interrupted):
        stopped.train()
    resumed = make_runner(tmp_path / "run", resume=True, **settings, **background(**hook))
    resumed.train()
    assert_same(resumed.model.state_dict(), whole.model.state_dict())
    assert_same(resumed.optim_wrapper.state_dict(), whole.optim_wrapper.state_dict())
    assert _files(tmp_path / "run") == _files(tmp_path / "whole")


def test_pointer_and_removal_wait_for_the_file(tmp_path, held_up):
    runner = make_runner(tmp_path, **background(interval=1, max_keep_ckpts=1))
    seen = []

    class Look(Hook):
        priority = "LOWEST"

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            pointer = tmp_path / "last_checkpoint"
            seen.append((pointer.exists(), sorted(p.name for p in tmp_path.glob("*.pth"))))
            held_up.set()

    runner.register_hook(Look())
    runner.train()
    assert seen[0] == (False, [])
    assert sorted(p.name for p in tmp_path.glob("*.pth")) == [f"iter_{ITERS}.pth"]
    assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / f"iter_{ITERS}.pth")


def test_two_writes_never_overlap(tmp_path, monkeypatch):
    write, inside, most = around_hook.write_checkpoint, [], []

    def count(plain, path):
        inside.append(path)
        most.append(len(inside))
        threading.Event().wait(0.05)
        write(plain, path)
        inside.remove(path)

    monkeypatch.setattr(around_hook, "write_checkpoint", count)
    make_runner(tmp_path, **background(interval=1)).train()
    assert most == [1] * ITERS


@pytest.mark.parametrize("fails_at", [2, ITERS])
def test_error_of_the_writer_ends_the_run(tmp_path, monkeypatch, fails_at):
    write = around_hook.write_checkpoint

    def fail(plain, path):
        if path.endswith(f"iter_{fails_at}.pth"):
            raise PermissionError(13, "Permission denied")
        write(plain, path)

    monkeypatch.setattr(around_hook, "write_checkpoint", fail)
    runner = make_runner(tmp_path, **background(interval=1))
    with pytest.raises(PermissionError):
        runner.train()
    assert runner.iter <= min(fails_at + 1, ITERS)
    assert safe_load(tmp_path / f"iter_{fails_at - 1}.pth")["meta"]["iter"] == fails_at - 1
    assert (tmp_path / "last_checkpoint").read_text().endswith(f"iter_{fails_at - 1}.pth")


def test_run_that_fails_waits_for_its_checkpoint(tmp_path, held_up):
    runner = make_runner(tmp_path, **background())
    runner.register_hook(StopAfter(3))
    threading.Timer(0.3, held_up.set).start()
    with pytest.raises(Interrupted):
        runner.train()
    assert safe_load(tmp_path / "iter_2.pth")["meta"]["iter"] == 2
    assert not [thread for thread in threading.enumerate() if "checkpoint" in thread.name]


def test_asking_for_a_checkpoint_waits_for_the_one_under_way(tmp_path, held_up):
    runner = make_runner(tmp_path, **background(interval=2))

    class Ask(Hook):
        priority = "LOWEST"

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter + 1 == 3:
                threading.Timer(0.3, held_up.set).start()
                save_now(runner)
                raise Interrupted

    runner.register_hook(Ask())
    with pytest.raises(Interrupted):
        runner.train()
    assert [path.rpartition("/")[2] for path in held_up.began] == ["iter_2.pth", "iter_3.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_3.pth")
    assert safe_load(tmp_path / "iter_3.pth")["meta"]["iter"] == 3
