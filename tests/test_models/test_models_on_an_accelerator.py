"""Losses, norms and networks on an accelerator: nothing misplaced, and where the host waits."""

import inspect

import torch
import torch.distributed as dist
from helpers.fake_accelerator import NAME, with_accelerator
from helpers.paths import CONFIGS
from helpers.shrunk_models import SHRINK, shrunk, small_size
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample

from mmreid_ext.distributed import rows_at
from mmreid_ext.models import MixStyle, losses
from mmreid_ext.models.losses.cross_batch_memory import WRAPS
from mmreid_ext.models.norms import BatchInstanceNorm2d, SyncBatchNorm
from mmreid_ext.registry import MODELS

DIM, CLASSES = 6, 4
OPTIONS = {
    "ArcMarginLinear": dict(in_features=DIM, num_classes=CLASSES),
    "CenterLoss": dict(num_classes=CLASSES, feat_dim=DIM),
}
MEMORY = dict(
    type="mmreid_ext.CrossBatchMemory",
    loss=dict(type="mmreid_ext.MultiSimilarityLoss"),
    **dict(memory_size=20, feat_dim=DIM, start_iter=1),
)
ABSTRACT = ("BatchLoss", "PairLoss")
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def loss_waits(accelerator):
    return {
        name: waits_of(accelerator, MODELS.build(cfg))
        for name, cfg in loss_configurations().items()
    }


def loss_configurations():
    """Every loss, and the memory with both ways to begin again at its start."""
    names = [name for name in losses.__all__ if name not in (*ABSTRACT, "CrossBatchMemory")]
    found = {name: dict(type=f"mmreid_ext.{name}", **OPTIONS.get(name, {})) for name in names}
    return found | {f"CrossBatchMemory {wrap}": dict(MEMORY, wrap=wrap) for wrap in WRAPS}


def waits_of(accelerator, loss):
    """Waits of six steps: a check may be made once, and 20 rows of memory are full after three."""
    loss = loss.to(NAME)
    pids, domains = torch.arange(8, device=NAME) // 2, torch.arange(8, device=NAME) % 2
    accelerator.forget()
    for dtype in DTYPES * 2:
        feats = torch.ones(8, DIM, device=NAME, dtype=dtype, requires_grad=True)
        given = dict(feats=feats, logits=feats, pids=pids, domains=domains)
        wanted = set(inspect.signature(loss.forward).parameters) & set(given)
        value = loss(**{key: given[key] for key in wanted})
        value = sum(value.values()) if isinstance(value, dict) else value
        value.sum().backward()
        assert value.dtype == torch.float32
        assert feats.grad.dtype == dtype
    return accelerator.waits + accelerator.sent


def test_no_loss_waits():
    assert with_accelerator(loss_waits) == {name: [] for name in loss_configurations()}


def norm_waits(accelerator):
    layers = [layer(8).to(NAME) for layer in (BatchInstanceNorm2d, SyncBatchNorm)]
    accelerator.forget()
    for layer in layers:
        for dtype in DTYPES:
            for layout in (torch.contiguous_format, torch.channels_last):
                pass_through(layer, torch.ones(4, 8, 6, 5, device=NAME, dtype=dtype), layout)
    return accelerator.waits + accelerator.sent


def pass_through(layer, x, layout):
    """Forward, backward, derivatives of second order, evaluation."""
    x = x.contiguous(memory_format=layout).requires_grad_()
    y = layer.train()(x)
    assert y.dtype == x.dtype
    assert y.is_contiguous(memory_format=layout)
    (first,) = torch.autograd.grad(y.float().square().sum(), x, create_graph=True)
    first.float().square().sum().backward()
    assert x.grad.dtype == x.dtype
    layer.eval()(x).sum().backward()


def test_no_norm_waits():
    assert with_accelerator(norm_waits) == []


def two_ranks_waits(accelerator):
    """Waits of layers and losses that talk to another rank, which is pretended, too."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    found = {"norms": norm_waits(accelerator), **loss_waits(accelerator)}
    mix = MixStyle(prob=1.0).to(NAME)
    accelerator.forget()
    with rows_at(range(0, 8, 2)):
        mix(torch.ones(4, 3, 6, 5, device=NAME))
    return found | {"MixStyle": [*accelerator.waits, len(accelerator.sent)]}


def test_nothing_waits_on_two_ranks():
    """MixStyle sends its draws, and where its rows stand in the batch of a single process."""
    assert with_accelerator(two_ranks_waits) == {
        "norms": [],
        **{name: [] for name in loss_configurations()},
        "MixStyle": [3],
    }


def parts_of(cfg):
    """What of a network a step runs through; the losses have a test of their own."""
    model = cfg.model
    norm = model.backbone.get("norm_cfg", {}).get("type")
    return {
        model.backbone.type,
        f"norm {norm}",
        repr(model.get("neck")),
        repr(model.get("stage_plugins")),
        repr([model.head.get(key) for key in ("type", "with_neck", "classifier", "dropout")]),
    }


def different_configurations():
    """The configurations that have a part which no other before them has, the smallest first."""
    found, seen = {}, set()
    for path in sorted(CONFIGS.glob("*.py"), key=lambda path: ("r18" not in path.stem, path.stem)):
        cfg = Config.fromfile(path)
        if not parts_of(cfg) <= seen:
            found[path.stem] = cfg
        seen |= parts_of(cfg)
    return found


def small(cfg):
    """The configuration with a model of fewer blocks and an eighth of the channels."""
    before = cfg.model.head.in_channels
    if cfg.model.backbone.get("depth") == 50:  # of the same parts as 18
        cfg.model.backbone.depth = 18
        cfg.model.head.in_channels //= 4
    shrunk(cfg.model)
    for plugin in (cfg.model.get("stage_plugins") or {}).values():
        plugin["prob"] = 1.0
    if cfg.model.head.in_channels < before:
        for loss in cfg.model.head.losses.values():
            if loss["type"].endswith("CenterLoss"):
                loss["feat_dim"] = before // SHRINK
    return cfg


def batch(height, width):
    samples = []
    for row in range(8):
        sample = DataSample().set_gt_label(row // 2)
        samples.append(sample.set_field(row // 4, "domain", field_type="metainfo") or sample)
    return dict(inputs=torch.zeros(8, 3, height, width, dtype=torch.uint8), data_samples=samples)


def configuration_waits(accelerator):
    init_default_scope("mmpretrain")
    found = {}
    for name, cfg in different_configurations().items():
        model = MODELS.build(small(cfg).model).to(NAME).train()
        accelerator.forget()
        data = model.data_preprocessor(batch(*small_size(name)), training=True)
        loss, _ = model.parse_losses(model(**data, mode="loss"))
        loss.backward()
        found[name] = [list(accelerator.waits), list(accelerator.sent)]
    return found


def test_a_configuration_waits_for_its_batch_alone():
    """Images and labels, before anything is queued: copies of MMEngine and MMPretrain.

    The domains, and the draws of MixStyle, are sent while the device works.
    """
    found = with_accelerator(configuration_waits)
    before = [
        "copies in base_model/data_preprocessor.py cast_data",
        "copies in utils/data_preprocessor.py forward",
    ]
    assert {name: waits for name, (waits, _) in found.items()} == dict.fromkeys(found, before)
    counts = {name: len(sent) for name, (_, sent) in found.items()}
    assert counts.pop("strong_baseline_r50_mixstyle") == 1 + 2 * 2
    assert set(counts.values()) == {1}
