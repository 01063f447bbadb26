"""Losses: plain PyTorch modules over ``logits``, ``feats``, ``pids``, ``domains``, by name."""

import warnings

from .arc_margin import ArcMarginLinear
from .batch_hard_triplet import BatchHardTripletLoss
from .batch_loss import BatchLoss
from .center_loss import CenterLoss
from .circle import CircleLoss
from .contrastive import ContrastiveLoss
from .cross_batch_memory import CrossBatchMemory
from .domain_scatter import DomainScatterLoss
from .domain_shuffle import DomainShuffleLoss
from .eml import EMLLoss
from .label_smoothing import LabelSmoothingLoss
from .margin_sample_mining import MarginSampleMiningLoss
from .multi_similarity import MultiSimilarityLoss
from .npairs import NPairsLoss
from .pair_loss import PairLoss
from .triplet_margin import TripletMarginLoss

__all__ = [
    "ArcMarginLinear",
    "BatchHardTripletLoss",
    "BatchLoss",
    "CenterLoss",
    "CircleLoss",
    "ContrastiveLoss",
    "CrossBatchMemory",
    "DomainScatterLoss",
    "DomainShuffleLoss",
    "EMLLoss",
    "LabelSmoothingLoss",
    "MarginSampleMiningLoss",
    "MultiSimilarityLoss",
    "NPairsLoss",
    "PairLoss",
    "TripletMarginLoss",
]


def __getattr__(name: str) -> type[PairLoss]:
    if name == "KeyedLoss":
        warnings.warn(
            "KeyedLoss is now called PairLoss; use that name.", FutureWarning, stacklevel=2
        )
        return PairLoss
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
