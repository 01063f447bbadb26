"""Retrieval evaluation: ranking, re-ranking, query expansion, protocols, comparison.

Plain PyTorch and NumPy but for the metric class, which is imported only when it is asked for.
"""

from .ranking import evaluate_retrieval
from .re_ranking import k_reciprocal_rerank
from .retrieval_result import RetrievalResult

__all__ = [
    "RetrievalResult",
    "evaluate_retrieval",
    "k_reciprocal_rerank",
]
