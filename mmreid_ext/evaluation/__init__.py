"""Retrieval evaluation: ranking, re-ranking, query expansion, protocols, comparison.

Plain PyTorch and NumPy but for the metric class. Each name is imported only when it is asked for:
the settings and the results of an evaluation need neither PyTorch nor MMEngine, and a command line
that reads them starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmreid_ext.protocols import EvaluationProtocol, build_protocol

    from .embedding_set import EmbeddingSet
    from .reid_metric import ReIDMetric
    from .results.features_file import load_features, save_features
    from .results.report import format_table, results_document
    from .results.results_file import read_results, write_results
    from .retrieval.query_expansion import expand_queries
    from .retrieval.ranking import evaluate_retrieval
    from .retrieval.re_ranking import k_reciprocal_rerank
    from .retrieval.result import RetrievalResult
    from .set_evaluation import NoValidQueryError, evaluate_set
    from .set_result import SetResult

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

_MODULES = {
    "mmreid_ext.protocols": ("EvaluationProtocol", "build_protocol"),
    ".embedding_set": ("EmbeddingSet",),
    ".reid_metric": ("ReIDMetric",),
    ".results.features_file": ("load_features", "save_features"),
    ".results.report": ("format_table", "results_document"),
    ".results.results_file": ("read_results", "write_results"),
    ".retrieval.query_expansion": ("expand_queries",),
    ".retrieval.ranking": ("evaluate_retrieval",),
    ".retrieval.re_ranking": ("k_reciprocal_rerank",),
    ".retrieval.result": ("RetrievalResult",),
    ".set_evaluation": ("NoValidQueryError", "evaluate_set"),
    ".set_result": ("SetResult",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_HOMES[name], __name__), name)
    return value
