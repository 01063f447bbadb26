"""Run a network of PaddleClas; called in an environment that has Paddle and no PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from drawn import numbers


def build(clone: Path, config: str) -> Any:
    """Build a network by a configuration of PaddleClas, without downloads."""
    import yaml

    for name in ("ppcls", "ppcls.utils"):  # without what their __init__ imports for training
        package = ModuleType(name)
        package.__path__ = [str(clone.joinpath(*name.split(".")))]
        sys.modules[name] = package
    from ppcls.arch import RecModel
    from ppcls.utils import logger

    logger.init_logger()

    arch = yaml.safe_load((clone / "ppcls" / "configs" / config).read_text())["Arch"]
    arch.pop("name")
    arch["Backbone"]["pretrained"] = False
    return RecModel(**arch)


def fill(net: Any) -> None:
    """Give every weight the numbers of its name."""
    import paddle

    for name, value in net.state_dict().items():
        shape = tuple(value.shape)
        linear = len(shape) == 2  # (input, output) in Paddle
        drawn = numbers(name, shape[::-1] if linear else shape)
        value.set_value(paddle.to_tensor(np.ascontiguousarray(drawn.T if linear else drawn)))


def calibrate(net: Any, images: Any) -> None:
    """Give every batch norm the statistics of its input, front to back."""

    def settle(layer: Any, inputs: Any) -> None:
        x = inputs[0].numpy()
        axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        layer._mean.set_value(x.mean(axes))
        layer._variance.set_value(x.var(axes))

    norms = [layer for layer in net.sublayers() if getattr(layer, "_mean", None) is not None]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    net(images)
    for hook in hooks:
        hook.remove()


def run(clone: str, config: str, images: str, folder: str, protocol: str) -> None:
    """Run a network on images.

    Args:
        clone: Folder of PaddleClas.
        config: Its configuration, under ``ppcls/configs``.
        images: File of the images, (N, 3, H, W).
        folder: Where to write ``net.pdparams``, and the features in two precisions:
            ``float64.npy`` and ``float32.npy``.
        protocol: Of the pickle, 2 to 4.
    """
    import paddle

    net = build(Path(clone), config)
    fill(net)
    net.eval()
    numbers = np.load(images)
    net.to(dtype="float64")
    with paddle.no_grad():
        calibrate(net, paddle.to_tensor(numbers.astype("float64")))
    net.to(dtype="float32")  # what is saved has no more digits
    paddle.save(net.state_dict(), f"{folder}/net.pdparams", protocol=int(protocol))
    for precision in ("float32", "float64"):
        net.to(dtype=precision)
        with paddle.no_grad():
            found = net(paddle.to_tensor(numbers.astype(precision)))["features"].numpy()
        np.save(f"{folder}/{precision}.npy", found.reshape(len(found), -1))
