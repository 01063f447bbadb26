"""Say in a line each what the model, its recipe and its devices are."""

from __future__ import annotations

import copy

import torch
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmreid_ext.checkpoint.usage.image_steps import final_size, image_steps
from mmreid_ext.engine.amp import BFloat16OptimWrapper
from mmreid_ext.engine.network import network_of
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.models import ReIDModel

MILLION, BILLION = 1e6, 1e9
FLOPS_OF_MULTIPLY_ADD = 2
"""PyTorch counts both; papers count one operation."""

PLAIN_LOOPS = ("ReID", "ReIDEpoch", "IterBased", "EpochBased")
"""Training loops that make ordinary steps."""


def model_line(runner: Runner) -> str:
    """Describe the network: parts, parameters, size of an image, arithmetic per image."""
    network = network_of(runner.model)
    parts = [getattr(network, name, None) for name in ("backbone", "head")]
    names = " + ".join(_part_name(part) for part in parts if part is not None)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    text = f"{names or type(network).__name__}, {parameters / MILLION:.1f} M parameters"
    size = image_size(runner)
    if size is None:
        return text
    operations = multiply_adds(network, size)
    text += f", {operations / BILLION:.2f} GFLOPs" if operations else ""
    return f"{text}, images {size[0]} x {size[1]}"


def _part_name(part: nn.Module) -> str:
    depth = getattr(part, "depth", None)
    return type(part).__name__ + (f"-{depth}" if isinstance(depth, int) else "")


def image_size(runner: Runner) -> tuple[int, int] | None:
    """Return height and width of test images, as the configuration says."""
    steps = evaluation_steps(runner.cfg)
    if steps is None:
        return None
    height, width = final_size(image_steps(steps.transforms, steps.loader))
    return None if height is None or width is None else (height, width)


def multiply_adds(network: nn.Module, size: tuple[int, int]) -> int | None:
    """Count multiplications with additions of convolutions and matrix products, for one image.

    Args:
        network: A network in any mode; a copy of it is run.
        size: Height and width.

    Returns:
        The number, as papers give it ("FLOPs"); None for networks that aren't ours or are compiled.
    """
    if not isinstance(network, ReIDModel) or hasattr(network.backbone, "_orig_mod"):
        return None
    with torch.random.fork_rng():
        twin = copy.deepcopy(network).eval()
        twin.flip_test = False
        image = torch.zeros(1, 3, *size, device=next(twin.parameters()).device)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            twin(image)
    return counter.get_total_flops() // FLOPS_OF_MULTIPLY_ADD


def recipe_line(runner: Runner) -> str:
    """Describe the loop, the losses, the optimiser and the schedules."""
    loop = type(runner.train_loop).__name__.removesuffix("TrainLoop")
    parts = [loop] if loop not in PLAIN_LOOPS else []
    losses = list(getattr(getattr(network_of(runner.model), "head", None), "losses", ()))
    if losses:
        parts.append(" + ".join(losses))
    optimizer = getattr(runner.optim_wrapper, "optimizer", None)
    if optimizer is not None:
        group = optimizer.param_groups[0]
        parts.append(f"{type(optimizer).__name__} lr {group.get('initial_lr', group['lr']):.3g}")
    schedules = runner.param_schedulers
    if isinstance(schedules, list) and schedules:
        parts.append(", then ".join(dict.fromkeys(map(_schedule_name, schedules))))
    return ", ".join(parts)


def _schedule_name(schedule: object) -> str:
    return type(schedule).__name__.removesuffix("LR").removesuffix("Annealing").lower()


def device_line(runner: Runner) -> str:
    """Describe devices, ranks and precision."""
    device = next(runner.model.parameters()).device
    ranks = f"{runner.world_size} rank{'s' * (runner.world_size != 1)}"
    if device.type == "cuda":
        parts = [torch.cuda.get_device_name(device), ranks]
    else:
        threads = torch.get_num_threads()
        parts = [device.type.upper(), ranks, f"{threads} thread{'s' * (threads != 1)} each"]
    return ", ".join([*parts, precision_of(runner)])


def precision_of(runner: Runner) -> str:
    """Return the precision of the arithmetic, such as ``'float32'`` or ``'bfloat16'``."""
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, AmpOptimWrapper):
        return str(getattr(wrapper, "cast_dtype", None) or torch.float16).removeprefix("torch.")
    return "bfloat16" if isinstance(wrapper, BFloat16OptimWrapper) else "float32"
