"""Retrieval evaluation: ranking, re-ranking, query expansion, protocols, comparison.

Plain PyTorch and NumPy but for the metric class, which is imported only when it is asked for.
"""

from typing import Any

from mmreid_ext.protocols import EvaluationProtocol, build_protocol

from .embedding_set import EmbeddingSet
from .results.features_file import load_features, save_features
from .results.report import format_table, read_results, results_document, write_results
from .retrieval.query_expansion import expand_queries
from .retrieval.ranking import evaluate_retrieval
from .retrieval.re_ranking import k_reciprocal_rerank
from .retrieval.result import RetrievalResult
from .set_evaluation import NoValidQueryError, SetResult, evaluate_set

__all__ = [
    "EmbeddingSet",
    "EvaluationProtocol",
    "NoValidQueryError",
    "ReIDMetric",
    "RetrievalResult",
    "SetResult",
    "build_protocol",
    "evaluate_retrieval",
    "evaluate_set",
    "expand_queries",
    "format_table",
    "k_reciprocal_rerank",
    "load_features",
    "read_results",
    "results_document",
    "save_features",
    "write_results",
]


def __getattr__(name: str) -> Any:
    # The metric needs MMEngine's evaluator, whose import takes longer than everything else here.
    if name == "ReIDMetric":
        from .reid_metric import ReIDMetric

        return ReIDMetric
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
