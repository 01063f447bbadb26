"""A rank measures its own work, without its waits for others."""

import time
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import LoggerHook

from mmreid_ext.cli.nodes import step_times
from mmreid_ext.cli.nodes.step_times import GPUClock, StepTimesHook
from mmreid_ext.distributed.waits import waiting

NOW = [0.0]


class Worker(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, work, wait):
        NOW[0] += work
        with waiting():
            NOW[0] += wait


class FakeWatch:
    hosts = ("a", "b")

    def __init__(self, rank):
        self.rank, self.sent, self.on_times = rank, [], None

    def send(self, **message):
        self.sent.append(message["times"])


def run(hook, iterations, pictures, work, wait, runner):
    for runner.iter in range(iterations):
        NOW[0] += pictures
        hook.before_train_iter(runner, runner.iter)
        runner.model(work, wait)
        hook.after_train_iter(runner, runner.iter)


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: NOW[0])
    warnings = []
    return SimpleNamespace(
        model=Worker(),
        hooks=[LoggerHook(interval=3)],
        iter=0,
        logger=SimpleNamespace(warning=warnings.append),
        warnings=warnings,
    )


def test_waits_for_others_are_not_its_own_work(runner):
    hook = StepTimesHook(FakeWatch(1))
    hook.before_train(runner)
    run(hook, 6, pictures=0.02, work=0.03, wait=0.3, runner=runner)
    assert len(hook.watch.sent) == 2
    for times in hook.watch.sent:
        assert times == pytest.approx(dict(pictures=0.02, forward=0.03))


def test_rank_0_says_who_is_slow(runner):
    hook = StepTimesHook(FakeWatch(0))
    hook.before_train(runner)
    for _ in range(3):
        hook.watch.on_times(1, dict(pictures=5.0, forward=0.0))
        run(hook, 3, pictures=0.0, work=0.001, wait=0.0, runner=runner)
    assert len(runner.warnings) == 1
    assert runner.warnings[0].startswith("rank 1 on b is slow")
    assert "waiting for pictures 5.000 s" in runner.warnings[0]


def test_a_gpu_is_timed_once_per_interval_without_waiting(monkeypatch):
    marks = []

    def mark():
        place = len(marks)
        event = SimpleNamespace(
            query=lambda: event.done, done=False, elapsed_time=lambda end: 1000.0
        )
        marks.append(event)
        return event if place >= 0 else None

    monkeypatch.setattr(step_times, "_mark", mark)
    clock = GPUClock()
    for _ in range(2):  # two forward passes of the measured iteration
        clock.begin()
        clock.end()
    assert clock.take() == []  # the GPU isn't there yet
    clock.begin()
    clock.end()  # not measured
    assert len(marks) == 4
    for event in marks:
        event.done = True
    assert clock.take() == [2.0]
    assert clock.take() == []
    clock.restart()
    clock.begin()
    assert len(marks) == 5
