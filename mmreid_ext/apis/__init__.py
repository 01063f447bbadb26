"""Calls for applications."""

from mmreid_ext.checkpoint.usage import read_deployment_info
from mmreid_ext.verdicts.answers import Answer, Comparison

from .inferencer import ReIDInferencer
from .matches import Match
from .search import nearest

__all__ = ["Answer", "Comparison", "Match", "ReIDInferencer", "nearest", "read_deployment_info"]
