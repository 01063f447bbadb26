"""Calls for applications."""

from mmreid_ext.checkpoint.usage import read_deployment_info
from mmreid_ext.verdicts.answers import Answer, Comparison

from .host import as_retriever, register_models
from .inferencer import ReIDInferencer
from .matches import Match
from .search import nearest

__all__ = [
    "Answer",
    "Comparison",
    "Match",
    "ReIDInferencer",
    "as_retriever",
    "nearest",
    "read_deployment_info",
    "register_models",
]
