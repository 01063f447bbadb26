"""Run a network of PaddleClas on images; called in an environment that has Paddle and no PyTorch.

python paddle_side.py CLONE CONFIG images.npy FOLDER [plain]

Writes FOLDER/net.pdparams (and net2.pdparams, of protocol 2) and FOLDER/features.npy.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
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


def main() -> None:
    """Do what the docstring says."""
    import paddle

    clone, config, given, folder = (Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4])
    net = build(clone, config)
    fill(net)
    net.eval()
    images = paddle.to_tensor(np.load(given))
    with paddle.no_grad():
        calibrate(net, images)
        found = net(images)["features"].numpy()
    np.save(f"{folder}/features.npy", found.reshape(len(found), -1))
    paddle.save(net.state_dict(), f"{folder}/net.pdparams")
    paddle.save(net.state_dict(), f"{folder}/net2.pdparams", protocol=2)


if __name__ == "__main__":
    main()
