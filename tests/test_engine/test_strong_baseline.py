"""The strong baseline's schedule, and the same training on 1, 2 and 4 ranks."""

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.paths import CONFIGS
from helpers.tiny_baseline import make_runner
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

GLOBAL_BATCH = 16

WITH_WARM_UP = {
    1: 3.815e-5, 2: 7.28e-5, 5: 1.7675e-4, 9: 3.1535e-4, 10: 3.5e-4, 39: 3.5e-4, 40: 3.5e-5,
    69: 3.5e-5, 70: 3.5e-6, 120: 3.5e-6,
}  # fmt: skip
WITHOUT = {1: 3.5e-4, 39: 3.5e-4, 40: 3.5e-5, 69: 3.5e-5, 70: 3.5e-6, 120: 3.5e-6}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("strong_baseline_r50", WITHOUT),
        ("strong_baseline_r50_softmax_triplet", WITH_WARM_UP),
        ("strong_baseline_r50_softmax_triplet_center", WITH_WARM_UP),
    ],
)
def test_learning_rate_by_epoch(name, expected):
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    weight = torch.nn.Parameter(torch.zeros(1))
    settings = {k: v for k, v in cfg.optim_wrapper.optimizer.items() if k != "type"}
    wrapper = OptimWrapper(torch.optim.Adam([weight], **settings))
    default = dict(optimizer=wrapper)
    schedulers = [PARAM_SCHEDULERS.build(c, default_args=default) for c in cfg.param_scheduler]
    rates = {}
    for epoch in range(1, cfg.train_cfg.max_epochs + 1):
        rates[epoch] = wrapper.get_lr()["lr"][0]
        for scheduler in schedulers:
            scheduler.step()
    assert {epoch: rates[epoch] for epoch in expected} == pytest.approx(expected, rel=1e-9)


def train_once(folder, world_size):
    changes = dict(launcher="pytorch") if world_size > 1 else {}
    runner = make_runner(folder, batch_size=GLOBAL_BATCH // world_size, max_epochs=1, **changes)
    runner.train()
    model = getattr(runner.model, "module", runner.model)
    return {name: value.double() for name, value in model.state_dict().items()}


def train_at_four_then_two(rank, world_size, folder):
    states = [train_once(f"{folder}/four", 4)]
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    pair, rank = divmod(rank, 2)
    store = f"file://{folder}/pair{pair}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    return [*states, train_once(f"{folder}/two{pair}", 2)]


@pytest.mark.slow
def test_two_and_four_ranks_equal_one(tmp_path):
    one = train_once(tmp_path, 1)
    before = make_runner(tmp_path, batch_size=GLOBAL_BATCH).model.state_dict()
    for name in ("backbone.conv1.weight", "head.neck.weight", "head.losses.center.centers"):
        assert (one[name] - before[name]).abs().max() > 1e-4, f"{name} hasn't moved"
    for states in run_distributed(train_at_four_then_two, 4, str(tmp_path), timeout=300):
        for state in states:
            for name, value in one.items():
                torch.testing.assert_close(state[name], value, rtol=0, atol=1e-6, msg=name)
