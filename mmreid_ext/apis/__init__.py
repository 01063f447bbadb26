"""Calls for applications."""

from mmreid_ext.checkpoint.usage import read_deployment_info

from .answers import Answer, Comparison, Match
from .inferencer import ReIDInferencer
from .search import nearest

__all__ = ["Answer", "Comparison", "Match", "ReIDInferencer", "nearest", "read_deployment_info"]
