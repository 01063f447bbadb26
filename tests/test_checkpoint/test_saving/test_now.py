"""A checkpoint that was asked for continues exactly, whatever the moment and the kind of run."""

import pytest
import torch
from helpers.equal_states import assert_same
from helpers.tiny_baseline import make_runner as make_baseline
from helpers.tiny_loops import ITERS, Interrupted, make_runner
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.saving import save_now
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.errors import UserError


class SaveAndStop(Hook):
    """Asks for a checkpoint after an iteration, as a signal would, and ends the run."""

    priority = "LOWEST"

    def __init__(self, done):
        self.done, self.path = done, None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.done:
            self.path = save_now(runner)
            raise Interrupted


def metabin(folder, **changes):
    enable_safe_checkpoints()
    never = dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=100))
    return tiny_runner(folder, batch_size=16, default_hooks=never, **changes)


def baseline(folder, **changes):
    return make_baseline(folder, max_epochs=2, **changes)


def no_checkpoints(folder, **changes):
    return make_runner(folder, default_hooks=dict(checkpoint=None), **changes)


def tiny(**settings):
    return lambda folder, **changes: make_runner(folder, **settings, **changes)


RUNS = {
    "iterations": (tiny(plateau=True, save_best=True), 2, "iter_2.pth"),
    "epochs, in the middle": (tiny(epochs=True, by_epoch=True, plateau=True), 2, "iter_2.pth"),
    "epochs, at an end": (tiny(epochs=True, by_epoch=True, plateau=True), 3, "iter_3.pth"),
    "epochs, files by iteration": (tiny(epochs=True, save_best=True), 4, "iter_4.pth"),
    "iterations, files by epoch": (tiny(by_epoch=True), 2, "iter_2.pth"),
    "no checkpoint hook": (no_checkpoints, 2, "iter_2.pth"),
    "MetaBIN": (metabin, 2, "iter_2.pth"),
    "strong baseline": (baseline, 6, "iter_6.pth"),
}


def final_state(runner):
    return dict(
        model=runner.model.state_dict(),
        optimizer=runner.optim_wrapper.state_dict(),
        schedules=[schedule.state_dict() for schedule in runner.param_schedulers or []],
        progress=(runner.iter, runner.epoch),
        best=runner.message_hub.runtime_info.get("best_score"),
    )


@pytest.mark.parametrize("name", RUNS)
def test_run_goes_on_from_the_moment_that_was_asked_for(tmp_path, name):
    make, done, file = RUNS[name]
    whole = make(tmp_path / "whole")
    whole.train()
    folder = tmp_path / "stopped"
    stopped, stop = make(folder), SaveAndStop(done)
    stopped.register_hook(stop)
    with pytest.raises(Interrupted):
        stopped.train()
    assert stop.path == str(folder / file) == (folder / "last_checkpoint").read_text()
    assert safe_load(folder / file)["meta"]["iter"] == done
    resumed = make(folder, resume=True)
    resumed.train()
    assert_same(final_state(resumed), final_state(whole))


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("validated", [False, True])
def test_between_two_iterations_a_validation_runs_once(tmp_path, epochs, validated):
    settings = dict(epochs=epochs, by_epoch=epochs, plateau=True)
    whole = make_runner(tmp_path / "whole", **settings)
    whole.train()
    stopped = make_runner(tmp_path / "stopped", **settings)
    due = stopped.train_loop.validate_if_due

    def save_around(done, whole):
        if validated:
            due(done, whole)
        if done == (1 if epochs else 2):
            save_now(stopped)
            raise Interrupted

    stopped.train_loop.validate_if_due = save_around
    with pytest.raises(Interrupted):
        stopped.train()
    resumed = make_runner(tmp_path / "stopped", resume=True, **settings)
    resumed.train()
    assert_same(final_state(resumed), final_state(whole))


def test_settings_that_leave_out_the_optimizer_do_not_hold_here(tmp_path):
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, save_optimizer=False)
    hooks = dict(default_hooks=dict(checkpoint=hook | dict(save_param_scheduler=False)))
    stopped, stop = make_runner(tmp_path, **hooks), SaveAndStop(3)
    stopped.register_hook(stop)
    with pytest.raises(Interrupted):
        stopped.train()
    assert {"optimizer", "param_schedulers"} <= safe_load(stop.path).keys()
    assert "optimizer" not in safe_load(tmp_path / "iter_2.pth")
    resumed = make_runner(tmp_path, resume=True, **hooks)
    resumed.train()
    assert resumed.iter == ITERS


def test_file_that_can_not_be_written_is_an_error_in_one_line(tmp_path, monkeypatch):
    runner, stop = no_checkpoints(tmp_path), SaveAndStop(2)
    runner.register_hook(stop)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmreid_ext.checkpoint.saving.around_hook.write_checkpoint", full)
    with pytest.raises(UserError, match=r"iteration 2 can't be written .*No space left") as error:
        runner.train()
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("*.pth")) and torch.is_tensor(runner.model.layer.weight)
