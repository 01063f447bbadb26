"""Losses: plain PyTorch modules over ``logits``, ``feats``, ``pids``, ``domains``, by name."""

from .arc_margin import ArcMarginLinear
from .batch_hard_triplet import BatchHardTripletLoss
from .center_loss import CenterLoss
from .circle import CircleLoss
from .contrastive import ContrastiveLoss
from .cross_batch_memory import CrossBatchMemory
from .domain_scatter import DomainScatterLoss
from .domain_shuffle import DomainShuffleLoss
from .eml import EMLLoss
from .keyed_loss import KeyedLoss
from .label_smoothing import LabelSmoothingLoss
from .margin_sample_mining import MarginSampleMiningLoss
from .multi_similarity import MultiSimilarityLoss
from .npairs import NPairsLoss
from .triplet_margin import TripletMarginLoss

__all__ = [
    "ArcMarginLinear",
    "BatchHardTripletLoss",
    "CenterLoss",
    "CircleLoss",
    "ContrastiveLoss",
    "CrossBatchMemory",
    "DomainScatterLoss",
    "DomainShuffleLoss",
    "EMLLoss",
    "KeyedLoss",
    "LabelSmoothingLoss",
    "MarginSampleMiningLoss",
    "MultiSimilarityLoss",
    "NPairsLoss",
    "TripletMarginLoss",
]
