"""Progress: live in a terminal, now and then in a pipe, and no reading from the device."""

import io
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmreid_ext.cli.screen import progress_hook
from mmreid_ext.cli.screen.progress_hook import ProgressHook, is_shown, seconds_per_iteration
from mmreid_ext.cli.screen.terminal import Terminal


def history(values):
    buffer = HistoryBuffer()
    for value in values:
        buffer.update(value)
    return buffer


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress_hook.time, "monotonic", lambda: now.seconds)
    return now


def runner_of(iters, times=(9.0, 1.0, 1.0), epochs=1):
    scalars = {"train/loss": history([2.0, 1.0]), "train/time": history(times)}
    scalars["train/gate/layer1/mean"] = history([0.5])
    loop = SimpleNamespace(max_epochs=epochs, _max_epochs=epochs)
    return SimpleNamespace(
        iter=0,
        epoch=0,
        max_iters=iters,
        world_size=1,
        train_loop=loop,
        log_processor=SimpleNamespace(window_size=2),
        message_hub=SimpleNamespace(log_scalars=scalars),
    )


def lines_of(clock, iters, seconds):
    """What a training in a pipe shows."""
    file = io.StringIO()
    hook, runner = ProgressHook(Terminal(file, {})), runner_of(iters)
    hook.before_train(runner)
    for runner.iter in range(iters):
        clock.seconds += seconds
        hook.after_train_iter(runner, runner.iter)
    return [int(line.split()[1].partition("/")[0]) for line in file.getvalue().splitlines()]


def test_about_twenty_lines_in_a_pipe(clock):
    assert lines_of(clock, 400, 10.0) == [1, *range(21, 400, 20), 400]


def test_a_short_training_says_less(clock):
    assert lines_of(clock, 20, 0.1) == [1, 20]
    assert lines_of(clock, 20, 2.5) == [1, *range(3, 20, 2), 20]


def test_a_long_training_is_not_silent_for_hours(clock):
    assert lines_of(clock, 400, 150.0)[:4] == [1, 3, 5, 7]


def test_a_terminal_changes_five_times_a_second_at_most(clock):
    seen = []
    terminal = SimpleNamespace(can_change=True, width=80, change=seen.append)
    hook, runner = ProgressHook(terminal), runner_of(100)
    hook.before_train(runner)
    for runner.iter in range(100):
        clock.seconds += 0.0625  # exact in binary
        hook.after_train_iter(runner, runner.iter)
    assert 20 <= len(seen) <= 25
    assert seen[0].startswith("iter 4/100  loss 1.50  eta 0:01:36")


def test_nothing_is_read_from_the_device(clock, monkeypatch):
    def read(_):
        raise AssertionError("a transfer to the host")

    monkeypatch.setattr(torch.Tensor, "item", read)
    monkeypatch.setattr(torch.Tensor, "tolist", read)
    hook, runner = ProgressHook(Terminal(io.StringIO(), {})), runner_of(2)
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, None, {"loss": torch.ones(())})


def test_epochs():
    figures = ProgressHook(Terminal(io.StringIO(), {})).figures(runner_of(12, epochs=3))
    assert figures.place == "epoch 1/3 iter 1/4"


def test_the_first_iteration_says_nothing_about_the_others():
    assert seconds_per_iteration(None) is None
    assert seconds_per_iteration(history([9.0])) is None
    assert seconds_per_iteration(history([9.0, 1.0, 5.0, 1.0])) == 1.0


def test_gates_of_stages_are_for_other_places():
    names = ["train/loss", "train/loss_ce", "train/meta_train/loss_x", "train/lr"]
    assert all(map(is_shown, [*names, "train/gate/mean"]))
    assert not any(map(is_shown, ["train/gate/layer1/mean", "train/gate/at_0", "train/inner_lr"]))


def test_a_test_in_a_pipe(clock):
    file = io.StringIO()
    hook = ProgressHook(Terminal(file, {}))
    runner = SimpleNamespace(test_dataloader=range(4))
    hook.before_test_epoch(runner)
    for batch in range(4):
        clock.seconds += 6.0
        hook.after_test_iter(runner, batch)
    assert file.getvalue().splitlines() == [
        "test: 2 of 4 batches  eta 0:00:12",
        "test: 4 of 4 batches  eta 0:00:00",
    ]
