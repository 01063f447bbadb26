"""What is computed on both devices: norms, losses, memory, and steps of a small network."""

from __future__ import annotations

import inspect
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import metabin_candidates as candidates
import torch
from torch import Tensor, nn

from mmreid_ext.engine import MetaBINTrainLoop, meta_update_gates
from mmreid_ext.models import losses
from mmreid_ext.models.losses.cross_batch_memory import WRAPS
from mmreid_ext.models.norms import BatchInstanceNorm2d, SyncBatchNorm
from mmreid_ext.registry import MODELS

BATCH, DIM, CLASSES = 32, 24, 8
SMALL = dict(stem_channels=8, base_channels=8, num_stages=2, strides=(1, 2))
SMALL |= dict(dilations=(1, 1), out_indices=(1,))
STEP = Namespace(depth=18, height=32, width=16, batch_size=16, instances=2, domains=4)
NEEDED = dict(num_classes=CLASSES, in_features=DIM, feat_dim=DIM)
ABSTRACT = (losses.BatchLoss, losses.PairLoss, losses.CrossBatchMemory)


@dataclass(frozen=True)
class Place:
    """Where and how precisely a case is computed.

    Attributes:
        device: Name of the device.
        dtype: Type of the computation.
        rounded: Type that inputs are rounded to first, so that all places start from one value.
    """

    device: str
    dtype: torch.dtype
    rounded: torch.dtype

    def randn(self, *shape: int, seed: int) -> Tensor:
        """Draw a tensor, the same at every place."""
        drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        return drawn.to(self.rounded).to(self.dtype).to(self.device)

    def weights(self, module: nn.Module) -> nn.Module:
        """Bring a module here; it stays in float32 where inputs are narrower, as in training."""
        wide = self.dtype if self.dtype == torch.float64 else torch.float32
        return module.to(self.device, wide)


Case = Callable[[Place], dict[str, Tensor]]


def norm(layer: type[nn.Module], layout: torch.memory_format) -> Case:
    """Return forward, backward, double backward, running averages and evaluation of a norm."""

    def compute(place: Place) -> dict[str, Tensor]:
        module = place.weights(_moved(layer(16)))
        x = place.randn(6, 16, 12, 7, seed=1).mul_(2).add_(1)
        x = x.contiguous(memory_format=layout).requires_grad_()
        y = module.train()(x)
        upstream = place.randn(*y.shape, seed=2)
        weights = dict(module.named_parameters())
        wanted = [x, *weights.values()]
        first = torch.autograd.grad(y, wanted, upstream, create_graph=True)
        energy = sum(g.to(torch.float32).square().sum() for g in first)
        second = torch.autograd.grad(energy, [x, weights["weight"]])
        found = {"forward": y, "evaluation": module.eval()(x)}
        names = ["x", *weights]
        found |= {f"backward {name}": g for name, g in zip(names, first, strict=True)}
        found |= {f"double backward {n}": g for n, g in zip(["x", "weight"], second, strict=True)}
        return found | {name: b for name, b in module.named_buffers() if b.is_floating_point()}

    return compute


def _moved(module: nn.Module) -> nn.Module:
    """Move weights off the values that they start with, the same way each time."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(0.5).add_(0.3 * torch.rand(parameter.shape, generator=generator))
    return module


def loss(cls: type[nn.Module]) -> Case:
    """Return value and gradients of a loss; its arguments are found by their names."""

    def compute(place: Place) -> dict[str, Tensor]:
        required = {
            name: NEEDED[name]
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        }
        torch.manual_seed(0)  # of weights that a loss has
        module = place.weights(cls(**required)).train()
        found = _term(module, place, seed=4)
        return found | {f"backward {n}": p.grad for n, p in module.named_parameters()}

    return compute


def _term(module: nn.Module, place: Place, seed: int) -> dict[str, Tensor]:
    names = inspect.signature(module.forward).parameters
    width = DIM if "feats" in names else CLASSES
    x = place.randn(BATCH, width, seed=seed).requires_grad_()
    pids = torch.arange(BATCH, device=place.device) // 4
    given = dict(feats=x, logits=x, pids=pids, domains=pids % 2)
    value = module(**{name: given[name] for name in names if name in given})
    terms = value if isinstance(value, dict) else {"value": value}
    sum(term.square().sum() for term in terms.values()).backward()
    return {**terms, "backward": x.grad}


def memory(wrap: str) -> Case:
    """Return the terms of each step, and the memory after it has wrapped."""

    def compute(place: Place) -> dict[str, Tensor]:
        pair = losses.ContrastiveLoss()
        module = losses.CrossBatchMemory(pair, 3 * BATCH - 8, DIM, start_iter=1, wrap=wrap)
        module, found = module.to(place.device).train(), {}
        for step in range(6):
            terms = _term(module, place, seed=10 + step)
            found |= {f"step {step} {name}": term for name, term in terms.items()}
        return found | {name: b.clone() for name, b in module.named_buffers()}

    return compute


def all_losses() -> Iterator[tuple[str, Case]]:
    """Every loss of the registry."""
    known = {
        cls for cls in MODELS.module_dict.values() if cls.__module__.startswith(losses.__name__)
    }
    for cls in sorted(known - {*ABSTRACT}, key=lambda cls: cls.__name__):
        yield cls.__name__, loss(cls)
    for wrap in WRAPS:
        yield f"CrossBatchMemory, wrap={wrap}", memory(wrap)


def all_norms() -> Iterator[tuple[str, Case]]:
    """Both norms, in both layouts."""
    layouts = {"NCHW": torch.contiguous_format, "channels-last": torch.channels_last}
    for layer in (BatchInstanceNorm2d, SyncBatchNorm):
        for name, layout in layouts.items():
            yield f"{layer.__name__}, {name}", norm(layer, layout)


def small_model(place: Place, channels_last: bool = False) -> nn.Module:
    """A narrow ResNet with MetaBIN's losses, the same weights at every place."""
    torch.manual_seed(0)
    args = Namespace(**vars(STEP), device="cpu")
    plain = dict(type="mmengine.BaseDataPreprocessor")
    model = candidates.make_model(
        args, backbone=SMALL, data_preprocessor=plain, channels_last=channels_last
    )
    return place.weights(model)


def small_batch(place: Place, seed: int) -> dict:
    """Images of ``STEP.domains`` domains, as numbers of the type of the network's weights."""
    args = Namespace(**vars(STEP), device="cpu")
    made = candidates.make_batch(args, seed)
    images = place.randn(STEP.batch_size, 3, STEP.height, STEP.width, seed=seed)
    return dict(inputs=images, data_samples=made["data_samples"])


def gate_update(second_order: bool) -> Case:
    """Return the gates after an update, and its losses."""

    def compute(place: Place) -> dict[str, Tensor]:
        model = small_model(place)
        log = meta_update_gates(
            model,
            **small_batch(place, 20),
            train_domains=range(STEP.domains // 2),
            inner_lr=0.1,
            gate_lr=0.5,
            second_order=second_order,
            straight_through=not second_order,
        )
        return {**_losses_of(log), **_gates_of(model)}

    return compute


def metabin_step(channels_last: bool) -> Case:
    """Return gates, weights, running averages and losses after one iteration."""

    def compute(place: Place) -> dict[str, Tensor]:
        model = small_model(place, channels_last)
        log = MetaBINTrainLoop.metabin_step(
            model,
            small_batch(place, 21),
            small_batch(place, 22),
            optim_wrapper=candidates.make_optim_wrapper(model),
            train_domains=range(STEP.domains // 2),
            inner_lr=0.1,
            gate_lr=0.5,
        )
        return {**_losses_of(log), **state_of(model)}

    return compute


def _losses_of(log: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: term for name, term in log.items() if "loss" in name or "/" in name}


def _gates_of(model: nn.Module) -> dict[str, Tensor]:
    return {f"gates {name}": layer.gate for name, layer in model.bin_layers().items()}


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Everything of a network that a checkpoint holds."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def all_steps() -> Iterator[tuple[str, Case]]:
    """The updates of the gates, and the whole iteration."""
    for second_order in (False, True):
        yield f"gate update{', second order' if second_order else ''}", gate_update(second_order)
    for layout, last in {"NCHW": False, "channels-last": True}.items():
        yield f"metabin step, {layout}", metabin_step(last)
