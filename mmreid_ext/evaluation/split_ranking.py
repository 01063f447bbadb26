"""Rank the splits of one test set, and compute what is measured beside the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_comm_device
from torch import Tensor

from mmreid_ext.distributed import broadcast_object, is_distributed, is_main
from mmreid_ext.evaluation.from_disk.disk_features import (
    DiskFeatures,
    chosen_rows,
    in_memory,
    strung,
)
from mmreid_ext.evaluation.retrieval.embedding_metrics import NMI_LIMIT, embedding_metrics
from mmreid_ext.evaluation.retrieval.query_expansion import expand_queries
from mmreid_ext.evaluation.retrieval.ranking import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.result import RetrievalResult
from mmreid_ext.evaluation.retrieval.settings import Progress
from mmreid_ext.evaluation.retrieval.verification import (
    OpenSetResult,
    check_open_set,
    evaluate_open_set,
)
from mmreid_ext.protocols import JUNK, EvaluationProtocol, Labels, Split

from .embedding_set import EmbeddingSet
from .options import EvaluationOptions

_QUERY_BYTES = 2**27
"""Queries on disk up to these are read once; more are read chunk by chunk."""


@dataclass(frozen=True)
class SplitRanking:
    """Rank the images of one test set; holds everything but the split.

    Args:
        images: One test set.
        protocol: Its protocol.
        options: How to rank.
        device: Where to rank.
        distributed: Whether each rank ranks a share of the queries.
        progress: Called during long work, or None.
    """

    images: EmbeddingSet
    protocol: EvaluationProtocol
    options: EvaluationOptions
    device: str | torch.device
    distributed: bool
    progress: Progress | None

    @property
    def max_rank(self) -> int:
        """Length of the CMC: as asked for, and at least the highest rank that is reported."""
        return max(self.options.max_rank, *self.protocol.ranks)

    def rank(self, split: Split, reranks: Sequence[dict[str, Any] | None]) -> list[RetrievalResult]:
        """Rank one split, once for each way of re-ranking; all of them read the same features.

        Args:
            split: Queries and gallery.
            reranks: Complete settings of a re-ranking, or None for the distance of embeddings.
        """
        split = self._without_junk(split)
        labels = Labels.of(self.images, split)
        gallery = self.images.features(split.gallery).to(self.device)
        query = self._query_features(split)
        if self.options.query_expansion is not None:
            query = expand_queries(
                query, gallery, distributed=self.distributed, **self.options.query_expansion
            )
        return [self._evaluate(query, gallery, labels, rerank) for rerank in reranks]

    def _query_features(self, split: Split) -> Any:
        feats = self.images.query_features(split, self.options.distance)
        return in_memory(feats, _QUERY_BYTES).to(self.device)

    def _without_junk(self, split: Split) -> Split:
        """Leave out what no ranking keeps: each of them would copy the rest of the gallery."""
        kept = self.images.pids[split.gallery] != JUNK
        camids = None if split.gallery_camids is None else split.gallery_camids[kept]
        return replace(split, gallery=split.gallery[kept], gallery_camids=camids)

    def _evaluate(
        self, query: Tensor, gallery: Tensor, labels: Labels, rerank: dict[str, Any] | None
    ) -> RetrievalResult:
        return evaluate_retrieval(
            query,
            gallery,
            labels.query_pids,
            labels.gallery_pids,
            labels.query_camids,
            labels.gallery_camids,
            distance=self.options.distance,
            max_rank=self.max_rank,
            rerank=rerank,
            # PaddleClas removes junk, as everybody does, when it re-ranks.
            counting=self.protocol.counting if rerank is None else "standard",
            distributed=self.distributed,
            progress=self.progress,
        )

    def open_set(self, split: Split) -> OpenSetResult | None:
        """Return figures of open-set identification of one split, None if none are asked for."""
        if not check_open_set(self.options.open_set):
            return None
        split = self._without_junk(split)
        labels = Labels.of(self.images, split)
        return evaluate_open_set(
            self._query_features(split),
            self.images.features(split.gallery).to(self.device),
            labels.query_pids,
            labels.gallery_pids,
            labels.query_camids,
            labels.gallery_camids,
            settings=self.options.open_set,
            distributed=self.distributed,
        )

    def extras(self) -> dict[str, float]:
        """Return metrics beyond the ranking; from rank 0, since clustering takes all cores."""
        if not self.protocol.embedding_metrics:
            return {}
        values: dict[str, float] = {}
        problem: Exception | None = None
        if is_main() or not self.distributed:
            try:
                values = self._embedding_metrics()
            except (ImportError, ValueError) as error:  # the others wait: raised on every rank
                problem = error
        if self.distributed:
            values, problem = broadcast_object((values, problem))
        if problem is not None:
            raise problem
        return values

    def _embedding_metrics(self) -> dict[str, float]:
        images, expansion = self.images, self.options.query_expansion
        is_asked = (images.roles == "query") | self.protocol.self_retrieval
        images = images.take((images.pids != JUNK) & ~(images.distractors & is_asked))
        feats, is_query = images.feats, None
        if len(images) <= NMI_LIMIT:
            feats = in_memory(feats)  # as NMI needs them; all else reads more from disk
        feats = feats.to(self.device)
        if not self.protocol.self_retrieval:
            is_query = images.roles == "query"
            if expansion is not None:
                rows = torch.from_numpy(is_query).to(self.device)
                others = chosen_rows(feats, ~rows)
                expanded = expand_queries(chosen_rows(feats, rows), others, **expansion)
                if isinstance(feats, DiskFeatures):
                    images = images.take(np.argsort(~is_query, kind="stable"))
                    is_query = images.roles == "query"
                    feats = strung(expanded, others)
                else:
                    feats = feats.float().clone()
                    feats[rows] = expanded
        return embedding_metrics(
            feats,
            _people(images),
            is_query,
            nmi=self.protocol.nmi,
            distance=self.options.distance,
        )


def ranking_device() -> torch.device:
    """Return where ranks can exchange tensors; on one rank, the accelerator if there is one."""
    alone = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return get_comm_device() if is_distributed() else alone


def _people(images: EmbeddingSet) -> np.ndarray:
    """Identities, shape (N,), in which each distractor is a person of its own."""
    pids = images.pids.copy()
    lone = images.distractors
    pids[lone] = pids.max(initial=0) + 1 + np.arange(lone.sum())
    return pids
