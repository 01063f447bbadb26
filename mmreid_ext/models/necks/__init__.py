"""Necks: pooling that MMPretrain lacks, or has in a form that can't be exported; added parts."""

from .appended_projection import AppendedProjection
from .generalized_mean_pooling import GeneralizedMeanPooling
from .global_max_pooling import GlobalMaxPooling
from .pooled_layer import PooledLayer

__all__ = ["AppendedProjection", "GeneralizedMeanPooling", "GlobalMaxPooling", "PooledLayer"]
