"""The weights that a training starts from: found before it, and translated into our names."""

from .addresses import missing_weights, provide_weights
from .matching import matched_state

__all__ = ["matched_state", "missing_weights", "provide_weights"]
