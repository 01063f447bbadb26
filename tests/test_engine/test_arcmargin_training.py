"""ArcMargin, then pairs: both stages train to the same weights on 1, 2 and 4 ranks."""

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed
from helpers.paths import CONFIGS
from helpers.tiny_reid import tiny_model, tiny_runner
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmreid_ext.compat import enable_safe_checkpoints

GLOBAL_BATCH, ITERS = 16, 3
FIRST = dict(
    num_classes=16,
    classifier=dict(type="mmreid_ext.ArcMarginLinear", margin=0.15, scale=80),
    losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.0)),
)
# Features as they leave the first stage differ by far less than EML's threshold.
PAIR = dict(losses=dict(pair=dict(type="mmreid_ext.EMLLoss")))
LOCAL = dict(losses=dict(pair=dict(type="mmreid_ext.EMLLoss", across_ranks=False)))


def train_stage(folder, world_size, head, num_instances, lr, **changes):
    enable_safe_checkpoints()
    size = GLOBAL_BATCH // world_size
    sampler = dict(type="mmreid_ext.PKSampler", batch_size=size, num_instances=num_instances)
    model = tiny_model(norm="mmreid_ext.SyncBN")
    model["head"] = dict(type="mmreid_ext.EmbeddingHead", in_channels=16, embedding_dim=8, **head)
    runner = tiny_runner(
        folder,
        model=model,
        train_dataloader=dict(
            batch_size=size,
            num_workers=0,
            drop_last=True,
            collate_fn=dict(type="default_collate"),
            sampler=sampler,
            dataset=dict(type="mmreid_ext.TinyReID"),
        ),
        train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=ITERS),
        optim_wrapper=dict(
            optimizer=dict(type="SGD", lr=lr, momentum=0.9, weight_decay=1e-4),
        ),
        launcher="pytorch" if world_size > 1 else "none",
        **changes,
    )
    runner.train()
    model = getattr(runner.model, "module", runner.model)
    return {name: value.double() for name, value in model.state_dict().items()}


def train_both(folder, world_size, pair=PAIR):
    """State after each stage; the second starts from the first's file."""
    first = train_stage(f"{folder}/first", world_size, FIRST, num_instances=1, lr=0.02)
    if world_size > 1:
        dist.barrier()  # until rank 0 has written
    checkpoint = f"{folder}/first/iter_{ITERS}.pth"
    second = train_stage(
        f"{folder}/second", world_size, pair, num_instances=4, lr=0.05, load_from=checkpoint
    )
    return [first, second]


def train_at_four_then_two(rank, world_size, folder):
    """Four ranks together, then two pairs of which the second compares within each rank only."""
    four = train_both(f"{folder}/four", 4)
    dist.barrier()
    dist.destroy_process_group()
    pair, rank = divmod(rank, 2)
    store = f"file://{folder}/pair{pair}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    return [four, train_both(f"{folder}/two{pair}", 2, pair=LOCAL if pair else PAIR)]


def largest_difference(a, b):
    return max((a[name] - b[name]).abs().max().item() for name in a)


@pytest.mark.slow
def test_two_and_four_ranks_equal_one_in_both_stages(tmp_path):
    results = run_distributed(train_at_four_then_two, 4, str(tmp_path), timeout=300)
    first, second = train_both(tmp_path / "one", 1)
    assert "head.classifier.weight" in first and "head.classifier.weight" not in second
    for name in ("backbone.conv1.weight", "head.embedding.weight"):
        moved = (second[name] - first[name]).abs().max()
        assert 1e-4 < moved < 1, f"{name} moved by {moved}: nothing is compared, or not loaded"
    for rank, (four, two) in enumerate(results):
        # Sums of float64 in another order, scaled by 80 and taken through three steps.
        assert largest_difference(first, four[0]) < 1e-8
        assert largest_difference(second, four[1]) < 1e-8
        assert largest_difference(first, two[0]) < 1e-8
        if rank < 2:
            assert largest_difference(second, two[1]) < 1e-8
        else:
            assert largest_difference(second, two[1]) > 1e-4, "missing pairs went unnoticed"


@pytest.mark.parametrize(
    ("name", "start", "milestones"),
    [
        ("arcmargin_r50vd_market", 0.1, (5000, 7000, 9000)),
        ("arcmargin_r50vd_market_eml", 1e-4, (3000, 6000, 9000)),
    ],
)
def test_learning_rates_are_the_published_ones(name, start, milestones):
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    settings = {k: v for k, v in cfg.optim_wrapper.optimizer.items() if k != "type"}
    assert settings == dict(lr=start, momentum=0.9, weight_decay=1e-4)
    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], **settings))
    schedulers = [
        PARAM_SCHEDULERS.build(one, default_args=dict(optimizer=wrapper))
        for one in cfg.param_scheduler
    ]
    wrapper.step()  # schedulers expect it before their own
    for iteration in range(cfg.train_cfg.max_iters):
        passed = sum(iteration >= milestone for milestone in milestones)
        assert wrapper.get_lr()["lr"][0] == pytest.approx(start * 0.1**passed)
        for scheduler in schedulers:
            scheduler.step()
    assert cfg.train_cfg.max_iters == 10000


def test_the_second_stage_drops_the_classifier_and_draws_identities():
    first = Config.fromfile(CONFIGS / "arcmargin_r50vd_market.py")
    second = Config.fromfile(CONFIGS / "arcmargin_r50vd_market_eml.py")
    assert second.load_from == "work_dirs/arcmargin_r50vd_market/iter_10000.pth"
    assert second.model.head.num_classes is None and second.model.head.classifier is None
    assert list(second.model.head.losses) == ["pair"]
    assert (first.train_dataloader.batch_size, second.train_dataloader.batch_size) == (256, 64)
    assert second.train_dataloader.sampler.num_instances == 4
    assert second.train_dataloader.sampler.strategy == "id_avg_prob"
    assert first.train_dataloader.dataset == second.train_dataloader.dataset
