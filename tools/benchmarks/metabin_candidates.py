"""The candidates of metabin_step.py: each is built once and returns a function that runs a step."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from mmpretrain.utils import register_all_modules
from torch import Tensor, nn

from mmreid_ext.apis.inferencer import find_config
from mmreid_ext.engine import LOSS_SETS, MetaBINTrainLoop
from mmreid_ext.models.norms import BatchInstanceNorm2d, hold_running_stats
from mmreid_ext.registry import MODELS

Step = Callable[[], object]
GATE_LR, INNER_LR = 0.2, 0.02
NORM = {"bin": "mmreid_ext.BIN", "batch norm": "mmreid_ext.SyncBN"}


class TwoBranchBIN(BatchInstanceNorm2d):
    """The published composition: both norms in full, then their mix."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` of shape (N, C, H, W), in training mode."""
        gate = (self.gate if self.stepped_gate is None else self.stepped_gate)[:, None, None]
        running = (self.running_mean, self.running_var) if self.track_running_stats else (None,) * 2
        batch = F.batch_norm(x, *running, self.weight, self.bias, True, self.momentum, self.eps)
        # PyTorch wants these parameters in the precision of the input; a float32 gate would turn
        # the maps into float32.
        gate, weight, bias = (p.to(x.dtype) for p in (gate, self.in_weight, self.in_bias))
        instance = F.instance_norm(x, weight=weight, bias=bias, eps=self.eps)
        return batch * gate + instance * (1 - gate)


def make_model(
    args: Namespace, norm: str = "bin", backbone: dict | None = None, **changes
) -> nn.Module:
    """The model of configs/metabin_r50.py, other norms and depths as asked, no download.

    ``backbone`` changes settings of the ResNet, ``changes`` those of the model.
    """
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(find_config("metabin_r50")).model
    norm_cfg = dict(type=NORM[norm])
    backbone = {**cfg.backbone, "depth": args.depth, "norm_cfg": norm_cfg, **(backbone or {})}
    channels = 8 * backbone.get("base_channels", 64) * (1 if args.depth < 50 else 4)
    channels >>= 4 - backbone.get("num_stages", 4)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(
            dict(
                cfg,
                backbone=dict(backbone, init_cfg=None),
                head=dict(cfg.head, in_channels=channels),
                **changes,
            )
        )
    for layer in model.bin_layers().values():
        nn.init.uniform_(layer.gate, 0.3, 0.9)
    return model.to(args.device).train()


def make_optim_wrapper(model: nn.Module, **changes) -> OptimWrapper:
    optimizer = dict(type="SGD", lr=1e-4, momentum=0.9, weight_decay=5e-4)
    return build_optim_wrapper(model, dict(optimizer=optimizer, **changes))


def make_batch(args: Namespace, seed: int) -> dict:
    """Random images, domain-balanced, with two or more identities per domain."""
    generator = torch.Generator().manual_seed(seed)
    per_domain, samples = args.batch_size // args.domains, []
    if per_domain * args.domains != args.batch_size or per_domain % args.instances:
        raise ValueError("The batch must be a multiple of domains x instances.")
    for row in range(args.batch_size):
        sample = DataSample().set_gt_label(row // args.instances)
        sample.set_field(row // per_domain, "domain", field_type="metainfo")
        samples.append(sample)
    shape = (args.batch_size, 3, args.height, args.width)
    images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return dict(inputs=list(images), data_samples=samples)


def ours(args: Namespace, optim: dict | None = None, **model_options) -> Step:
    model = make_model(args, **model_options)
    wrapper = make_optim_wrapper(model, **(optim or {}))
    base, meta = make_batch(args, 0), make_batch(args, 1)

    def step() -> None:
        MetaBINTrainLoop.metabin_step(
            model,
            base,
            meta,
            optim_wrapper=wrapper,
            train_domains=range(args.domains // 2),
            inner_lr=INNER_LR,
            gate_lr=GATE_LR,
        )

    return step


def half_precision(args: Namespace) -> dict:
    if args.device.startswith("cuda"):
        return dict(type="AmpOptimWrapper", dtype="bfloat16")
    return dict(type="mmreid_ext.BFloat16OptimWrapper")


def published(args: Namespace, optim: dict | None = None, **model_options) -> Step:
    model = make_model(args, **model_options)
    for layer in model.bin_layers().values():
        layer.__class__ = TwoBranchBIN
    wrapper = make_optim_wrapper(model, **(optim or {}))
    layers = list(model.bin_layers().values())
    base, meta = make_batch(args, 0), make_batch(args, 1)
    half = args.domains // 2

    def loss(batch: dict, wanted: Callable[[int], bool], losses: tuple[str, ...]) -> Tensor:
        data = model.data_preprocessor(batch, training=True)
        rows = [i for i, s in enumerate(data["data_samples"]) if wanted(int(s.domain))]
        samples = [data["data_samples"][i] for i in rows]
        with wrapper.optim_context(model):
            return sum(model.loss_terms(data["inputs"][rows], samples, losses).values())

    def step() -> None:
        names = LOSS_SETS["single_source"]
        wrapper.zero_grad()
        wrapper.backward(loss(base, lambda domain: True, names.base))
        wrapper.step()
        gates = [layer.gate.detach().clone().requires_grad_() for layer in layers]
        with hold_running_stats(model):
            wrapper.zero_grad()
            stepped = gates
            for keep, stage in ((range(half), 1), (range(half, args.domains), 2)):
                for layer, gate in zip(layers, stepped, strict=True):
                    layer.stepped_gate = gate
                loss(meta, keep.__contains__, names[stage]).backward()
                grads = [gate.grad for gate in stepped]
                rate = INNER_LR if stage == 1 else GATE_LR
                pairs = zip(gates, grads, strict=True)
                stepped = [(g - rate * d).clamp(0, 1).detach().requires_grad_() for g, d in pairs]
        with torch.no_grad():
            for layer, gate in zip(layers, stepped, strict=True):
                layer.gate.copy_(gate)
                layer.stepped_gate = None
        wrapper.zero_grad()

    return step


def base_step(args: Namespace, norm: str, optim: dict | None = None, **model_options) -> Step:
    model = make_model(args, norm, **model_options)
    wrapper, batch = make_optim_wrapper(model, **(optim or {})), make_batch(args, 0)
    return lambda: model.train_step(batch, optim_wrapper=wrapper)


def floor(args: Namespace, dtype: str = "float32", channels_last: bool = False, **options) -> Step:
    """Forward and backward of every convolution at its shapes of the base and the meta passes."""
    model = make_model(args, "batch norm", channels_last=channels_last, **options)
    calls: list[tuple[nn.Conv2d, tuple[int, ...]]] = []
    hooks = [
        conv.register_forward_pre_hook(lambda m, inputs: calls.append((m, inputs[0].shape[1:])))
        for conv in model.modules()
        if isinstance(conv, nn.Conv2d)
    ]
    with torch.no_grad():
        model.pool(torch.zeros(2, 3, args.height, args.width, device=args.device))
    for hook in hooks:
        hook.remove()
    model.to(getattr(torch, dtype))
    most = max(math.prod(shape) for _, shape in calls)
    values = torch.rand(args.batch_size * most, device=args.device, dtype=getattr(torch, dtype))

    def convolve(conv: nn.Conv2d, shape: tuple[int, ...], images: int, weights: bool) -> None:
        conv.weight.requires_grad_(weights)
        x = values[: images * math.prod(shape)]
        if channels_last:
            x = x.view(images, *shape[1:], shape[0]).permute(0, 3, 1, 2)
        else:
            x = x.view(images, *shape)
        x = x.requires_grad_(shape[0] != 3)
        y = conv(x)
        if y.requires_grad:  # the stem has nothing to differentiate in the meta passes
            y.backward(y.detach())
        conv.weight.grad = None

    def step() -> None:
        for conv, shape in calls:
            convolve(conv, shape, args.batch_size, weights=True)
            for _ in range(2):
                convolve(conv, shape, args.batch_size // 2, weights=False)

    return step


CANDIDATES: dict[str, Callable[[Namespace], Step]] = {
    "published": published,
    "ours": ours,
    "ours, channels-last": lambda args: ours(args, channels_last=True),
    "ours, bfloat16": lambda args: ours(args, half_precision(args)),
    "ours, bfloat16, channels-last": lambda args: ours(
        args, half_precision(args), channels_last=True
    ),
    "ours, compiled": lambda args: ours(args, compile_backbone=True),
    "ours, compiled, bfloat16": lambda args: ours(
        args, half_precision(args), compile_backbone=True
    ),
    "base step, BIN": lambda args: base_step(args, "bin"),
    "base step, batch norm": lambda args: base_step(args, "batch norm"),
    "floor": floor,
}
