"""Necks: pooling that MMPretrain lacks."""

from .global_max_pooling import GlobalMaxPooling

__all__ = ["GlobalMaxPooling"]
