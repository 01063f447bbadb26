"""Settings of optimisers and schedules that a checkpoint brings along."""

import pytest
from helpers.interrupted_run import (
    resume,
)
from helpers.tiny_loops import make_runner

from mmreid_ext.checkpoint.resume.restored_state import optimizer_changes, schedule_changes
from mmreid_ext.errors import UserError


@pytest.mark.parametrize(
    "schedule",
    [dict(type="LinearLR", start_factor=0.1), dict(type="CosineAnnealingLR", eta_min=0.0)],
)
def test_schedule_whose_course_depends_on_the_length_is_another_one(tmp_path, schedule):
    schedule = dict(param_scheduler=[dict(schedule, by_epoch=False)])
    make_runner(tmp_path / "a", **schedule).train()
    longer = dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9))
    with pytest.raises(UserError, match=r"param_scheduler\.0\.(total_iters|T_max|end) was"):
        resume(tmp_path / "b", tmp_path / "a" / "iter_3.pth", **schedule, **longer)


def groups(**settings):
    return dict(param_groups=[dict(params=[0, 1], lr=0.1, **settings)])


@pytest.mark.parametrize(
    "before, now, said",
    [
        (groups(foreach=None), groups(foreach=True), []),
        (groups(initial_lr=0.1), groups(), []),
        (groups(initial_lr=0.5), groups(), ["optim_wrapper.optimizer.lr was 0.5, is 0.1"]),
        (groups(momentum=0.9), groups(momentum=0.8), ["momentum was 0.9, is 0.8"]),
        (groups(momentum=0.9), groups(betas=(0.9, 0.99)), ["knows no betas"]),
        (dict(param_groups=[]), groups(), ["groups were [], are [2]"]),
        (dict(groups(), loss_scaler={}), groups(), ["gradients are scaled"]),
        (dict(a=groups()), dict(b=groups()), ["the optimisers were ['a'], are ['b']"]),
    ],
)
def test_differences_of_optimisers_are_said(before, now, said):
    found = optimizer_changes(before, now)
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))


class Schedule:
    """A schedule that is its state."""

    def __init__(self, **state):
        self.state, self.end = state, state["end"]

    def state_dict(self):
        return self.state


@pytest.mark.parametrize(
    "old, new, said, ends",
    [
        (dict(begin=0, end=9), dict(begin=0, end=9, last_step=4), 0, []),
        (dict(begin=0, end=9, _global_step=3), dict(begin=0, end=20), 0, [20]),
        (dict(begin=0, end=9, _global_step=9), dict(begin=0, end=20), 1, []),
        (dict(begin=0, end=9, _global_step=3), dict(begin=1, end=20), 2, []),
        (dict(end=9, milestones=(1, 2)), dict(end=9, milestones=[1, 2]), 0, []),
    ],
    ids=["progress", "end to come", "end reached", "begin and end", "tuple and list"],
)
def test_only_an_end_to_come_is_taken_from_the_run(old, new, said, ends):
    found, later = schedule_changes([old], [Schedule(**new)])
    assert len(found) == said
    assert [end.end for end in later] == ends


def test_schedules_are_counted():
    assert "had 1 schedules, there are 0 now" in schedule_changes([dict(end=1)], None)[0][0]
