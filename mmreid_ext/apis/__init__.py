"""What applications call."""

from .inferencer import ReIDInferencer

__all__ = ["ReIDInferencer"]
