"""k-reciprocal re-ranking: neighbours, encodings, re-ranked scores. Sparse and in blocks."""

from .k_reciprocal import k_reciprocal_rerank, rerank_similarity
from .reranked_similarity import RerankedRows, RerankedSimilarity

__all__ = ["RerankedRows", "RerankedSimilarity", "k_reciprocal_rerank", "rerank_similarity"]
