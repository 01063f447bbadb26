"""Calls for applications."""

from mmreid_ext.checkpoint.usage import read_deployment_info

from .inferencer import ReIDInferencer

__all__ = ["ReIDInferencer", "read_deployment_info"]
