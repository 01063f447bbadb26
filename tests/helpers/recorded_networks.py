"""What networks of other programs computed, recorded by ``tools/converters/prove.py --record``."""

import json
import sys
from importlib import import_module

import torch

from .paths import ROOT, TOOLS

RECORDED = ROOT / "tests" / "recorded"
_FOLDER = str(TOOLS / "converters")
sys.path.insert(0, _FOLDER)
try:
    filling = import_module("proofs.filling")
finally:
    sys.path.remove(_FOLDER)


def recorded(name):
    """The record of a network, by its file."""
    return json.loads((RECORDED / f"{name}.json").read_text())


def weights(name):
    """The weights that the recorded network had, before it was calibrated."""
    return filling.filled(recorded(name)["shapes"])


def empty(*names, **shapes):
    """A state dictionary of zeros by name; a number or a tuple says another shape than (1,)."""
    state = {name: torch.zeros(1) for name in names}
    return state | {name: torch.zeros(shape) for name, shape in shapes.items()}


def resnet(blocks=(2, 2, 2, 2), prefix="", bottleneck=False):
    """Names of a ResNet of which every weight has one number."""
    names = [f"{prefix}conv1.weight"]
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            names.append(f"{prefix}layer{stage}.{block}.conv1.weight")
            if bottleneck:
                names.append(f"{prefix}layer{stage}.{block}.conv3.weight")
    return empty(*names)
