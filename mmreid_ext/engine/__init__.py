"""Loops, optimisation and hooks."""

from .amp import BFloat16OptimWrapper
from .epoch_loop import ReIDEpochTrainLoop
from .metabin.gate_schedule import CyclicRatio, split_domains
from .metabin.loss_sets import LOSS_SETS, LossSets
from .metabin.meta_gates import meta_update_gates
from .metabin.metabin_loop import MetaBINTrainLoop
from .optim import ReIDOptimWrapperConstructor
from .train_loop import ReIDTrainLoop

__all__ = [
    "LOSS_SETS",
    "BFloat16OptimWrapper",
    "CyclicRatio",
    "LossSets",
    "MetaBINTrainLoop",
    "ReIDEpochTrainLoop",
    "ReIDOptimWrapperConstructor",
    "ReIDTrainLoop",
    "meta_update_gates",
    "split_domains",
]
