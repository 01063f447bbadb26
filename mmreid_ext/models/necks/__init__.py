"""Necks: pooling that MMPretrain lacks, or has in a form that can't be exported."""

from .generalized_mean_pooling import GeneralizedMeanPooling
from .global_max_pooling import GlobalMaxPooling

__all__ = ["GeneralizedMeanPooling", "GlobalMaxPooling"]
