"""A run that was asked to stop goes on bit for bit."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.equal_states import assert_same
from helpers.tiny_baseline import make_runner as make_baseline
from helpers.tiny_loops import ITERS, make_runner
from helpers.tiny_reid import tiny_runner
from helpers.tiny_xbm import xbm_runner
from mmengine.hooks import EMAHook, Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine.hooks import StopOnRequestHook
from mmreid_ext.errors import RunStopped

OURS = dict(type="mmreid_ext.StopOnRequestHook")
BY_ITERATION = dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=100))


class Sends(Hook):
    """Sends a signal to its own process when a method of a hook is called for the n-th time."""

    def __init__(self, moment, time, number=signal.SIGTERM, rank=0):
        self.left, self.number = time, number
        if int(os.environ.get("RANK", "0")) == rank:
            setattr(self, moment, self.send)

    def send(self, *_, **__):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


class Validations(Hook):
    """Notes after how many iterations a validation was complete."""

    def __init__(self):
        self.at = []

    def after_val_epoch(self, runner, metrics=None):
        self.at.append(runner.iter)


def metabin(folder, **changes):
    enable_safe_checkpoints()
    return tiny_runner(folder, batch_size=16, max_iters=4, **changes)


def baseline(folder, **changes):
    return make_baseline(folder, max_epochs=2, **changes)


def xbm(folder, **changes):
    enable_safe_checkpoints()
    return xbm_runner(folder, **changes)[0]


def epochs(folder, **changes):
    return make_runner(folder, epochs=True, by_epoch=True, plateau=True, **changes)


def state(runner):
    """Everything that training changes."""
    return dict(
        model=runner.model.state_dict(),
        optimizer=runner.optim_wrapper.state_dict(),
        schedules=[schedule.state_dict() for schedule in runner.param_schedulers or ()],
        averages=[h.ema_model.state_dict() for h in runner.hooks if isinstance(h, EMAHook)],
    )


def stop(make, folder, *sent, **changes):
    """Train until a signal stops the run; return the message."""
    runner = make(folder, custom_hooks=[OURS], **changes)
    runner.register_hook(Sends(*sent))
    with pytest.raises(RunStopped) as stopped:
        runner.train()
    text = str(stopped.value)
    if "after iteration" in text:
        file = Path(folder) / f"iter_{text.rpartition(' ')[2]}.pth"
        assert file.is_file() and (file.parent / "last_checkpoint").read_text() == str(file)
    return text


def in_order(make, folder, *sent, **changes):
    """The states of an undisturbed run and of one that was stopped and resumed."""
    whole = make(f"{folder}/whole", **changes)
    whole.train()
    text = stop(make, f"{folder}/stopped", *sent, **changes)
    resumed = make(f"{folder}/stopped", custom_hooks=[OURS], resume=True, **changes)
    resumed.train()
    return state(whole), state(resumed), text


@pytest.mark.slow
@pytest.mark.parametrize("make", [metabin, baseline, xbm, make_runner, epochs])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, make):
    whole, resumed, text = in_order(make, tmp_path, "before_train_iter", 3)
    assert_same(resumed, whole)
    assert text == "SIGTERM: the run has stopped after iteration 3"


def two_ranks(rank, world_size, folder):
    whole, resumed, text = in_order(
        xbm, folder, "before_train_iter", 2, signal.SIGUSR1, 1, batch_size=8, launcher="pytorch"
    )
    same = all(torch.equal(resumed["model"][name], value) for name, value in whole["model"].items())
    return text, same


@pytest.mark.slow
def test_one_of_two_ranks_is_asked(tmp_path):
    expected = ("SIGUSR1: the run has stopped after iteration 2", True)
    assert run_distributed(two_ranks, 2, str(tmp_path)) == [expected] * 2


@pytest.mark.parametrize("make, batch", [(make_runner, 2), (make_runner, 3), (epochs, 1)])
def test_a_validation_is_ended_and_made_up_for(tmp_path, make, batch):
    settings = dict(custom_hooks=[dict(type="mmengine.EMAHook"), OURS])
    whole = make(tmp_path / "whole", **settings)
    whole.train()
    runner = make(tmp_path / "stopped", **settings)
    runner.register_hook(Sends("before_val_iter", batch))
    with pytest.raises(RunStopped, match="after iteration [23]$"):
        runner.train()
    (file,) = (tmp_path / "stopped").glob(f"iter_{runner.train_loop.steps_done}.pth")
    assert safe_load(file)["meta"]["mmreid_ext_run"]["validated"] is False
    resumed = make(tmp_path / "stopped", resume=True, **settings)
    validated = Validations()
    resumed.register_hook(validated)
    resumed.train()
    assert validated.at[0] == runner.train_loop.steps_done
    assert_same(state(resumed), state(whole))


def test_a_hook_that_changes_the_network_for_a_validation_is_let_through(tmp_path):
    class Swaps(Hook):
        def before_val_epoch(self, runner):
            pass

    runner = make_runner(tmp_path, custom_hooks=[OURS])
    runner.register_hook(Swaps())
    runner.register_hook(Sends("before_val_iter", 1))
    with pytest.raises(RunStopped, match="after iteration 3$"):  # validation was at 2
        runner.train()


@pytest.mark.parametrize(
    "sent",
    [("before_train_iter", ITERS), ("before_val_iter", 3 * 2 + 1), ("after_save_checkpoint", 99)],
    ids=["last iteration", "last validation", "never"],
)
def test_a_run_at_its_end_just_ends(tmp_path, sent):
    runner = make_runner(tmp_path, custom_hooks=[OURS])
    runner.register_hook(Sends(*sent))
    runner.train()
    assert runner.train_loop.validated


def test_before_the_first_iteration_there_is_nothing_to_save(tmp_path):
    text = stop(make_runner, tmp_path, "before_train", 1, default_hooks=BY_ITERATION)
    assert text.endswith("the run has stopped before its first iteration")
    assert list(tmp_path.glob("*.pth")) == []


def test_a_resumed_run_that_did_nothing_leaves_its_checkpoint_alone(tmp_path):
    stop(make_runner, tmp_path, "before_train_iter", 2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.pth")}
    # Made up for at the start: the validation after iteration 2.
    stop(make_runner, tmp_path, "before_val_iter", 1, resume=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.pth")} == before


def test_while_saving(tmp_path):
    """The file is whole."""
    text = stop(make_runner, tmp_path, "before_save_checkpoint", 2)
    assert text.endswith("after iteration 2")
    assert safe_load(tmp_path / "iter_2.pth")["meta"]["iter"] == 2


def test_a_time_limit_counts_from_the_start_of_the_training(tmp_path):
    class Waits(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if batch_idx == 1:
                time.sleep(0.8)

    hook = dict(OURS, time_limit="1s")
    runner = make_runner(tmp_path, custom_hooks=[hook])
    runner.register_hook(Waits())
    with pytest.raises(RunStopped, match="^the time limit of 1s: .* after iteration 2$"):
        runner.train()


def test_signals_are_left_alone_before_and_after(tmp_path):
    handlers = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGUSR1)]

    def now():
        return [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGUSR1)]

    make_runner(tmp_path / "never asked").train()
    make_runner(tmp_path / "asked", custom_hooks=[OURS]).train()
    assert now() == handlers
    stop(make_runner, tmp_path / "stopped", "before_train_iter", 2)
    assert now() == handlers

    class Fails(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            assert now() != handlers
            raise ZeroDivisionError

    runner = make_runner(tmp_path / "failed", custom_hooks=[OURS])
    runner.register_hook(Fails())
    with pytest.raises(ZeroDivisionError):
        runner.train()
    assert now() == handlers


def test_a_validation_needs_no_training_loop(tmp_path):
    runner = make_runner(tmp_path, custom_hooks=[OURS])
    runner.message_hub.update_info("iter", 1)  # the metric looks at it
    runner.val()


def test_other_signals_can_be_named():
    hook = StopOnRequestHook(signals=["SIGUSR2"])
    with hook.request:
        os.kill(os.getpid(), signal.SIGUSR2)
        assert hook.request.words(hook.request.reason()) == "SIGUSR2"
