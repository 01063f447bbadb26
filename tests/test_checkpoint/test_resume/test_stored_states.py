"""States that no optimiser, schedule or average has are refused before they are loaded."""

import pytest
import torch
from helpers.hostile_checkpoint import changed_checkpoint
from helpers.interrupted_run import AT, resume
from helpers.tiny_loops import make_runner

from mmreid_ext.errors import UserError

STATE, GROUP = ("optimizer", "state"), ("optimizer", "param_groups", 0)
SCHEDULE = ("param_schedulers", 0)

REFUSED = {
    "a list for the optimiser": (("optimizer",), [], r"optimizer=\[\], must be a dictionary"),
    "no groups": (("optimizer", "param_groups"), None, r"optimizer\.param_groups=None"),
    "groups of text": (("optimizer", "param_groups"), ["a"], r"param_groups=\(list\)"),
    "params of text": ((*GROUP, "params"), ["a"], r"param_groups=\(list\)"),
    "a list of states": (STATE, [], r"optimizer\.state=\[\]"),
    "half a state": ((*STATE, 0), dict(step=3), r"optimizer\.state\.0=.*exp_avg_sq"),
    "a moment of another shape": (
        (*STATE, 0, "exp_avg"),
        torch.zeros(9, 9),
        r"optimizer\.state\.0\.exp_avg=\(Tensor\), must be None or a tensor of shape \(3, 4\)",
    ),
    "a learning rate of text": ((*GROUP, "lr"), "high", r"param_groups\.0\.lr='high'"),
    "no list of schedules": (("param_schedulers",), 3, "param_schedulers=3"),
    "schedules of text": (("param_schedulers",), ["a"], r"param_schedulers=\(list\)"),
    "a step of text": ((*SCHEDULE, "_global_step"), "a", r"param_schedulers\.0\._global_step='a'"),
    "an end of text": ((*SCHEDULE, "end"), "a", r"param_schedulers\.0\.end='a'"),
    "rates of text": ((*SCHEDULE, "_last_value"), ["a"], r"_last_value=\(list\)"),
    "another optimiser inside": ((*SCHEDULE, "optimizer"), "a", r"optimizer was a, is not set"),
    "a number for averages": (("ema_state_dict",), 3, "ema_state_dict=3"),
    "averages of another model": (
        ("ema_state_dict",),
        {"module.other": torch.zeros(1)},
        r"ema_state_dict\.module\.other=\(Tensor\), must be like state_dict",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_state_that_no_run_writes_is_refused_in_one_sentence(tmp_path, folder, name):
    path, value, message = REFUSED[name]
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=value)
    with pytest.raises(UserError, match=message) as error:
        resume(tmp_path / "run", file)
    assert "\n" not in str(error.value)


def test_averages_of_the_run_are_accepted(tmp_path):
    hooks = dict(custom_hooks=[dict(type="EMAHook")])
    make_runner(tmp_path / "a", **hooks).train()
    assert resume(tmp_path / "b", tmp_path / "a" / f"iter_{AT}.pth", **hooks).iter == 5
