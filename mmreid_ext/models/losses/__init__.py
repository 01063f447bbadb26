"""Losses: plain PyTorch modules over ``logits``, ``feats``, ``pids``, ``domains``, by name."""

from .batch_hard_triplet import BatchHardTripletLoss
from .domain_scatter import DomainScatterLoss
from .domain_shuffle import DomainShuffleLoss
from .label_smoothing import LabelSmoothingLoss

__all__ = [
    "BatchHardTripletLoss",
    "DomainScatterLoss",
    "DomainShuffleLoss",
    "LabelSmoothingLoss",
]
