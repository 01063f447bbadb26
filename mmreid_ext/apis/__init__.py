"""What applications call."""

from .deployment_info import read_deployment_info
from .inferencer import ReIDInferencer

__all__ = ["ReIDInferencer", "read_deployment_info"]
