"""Market-1501's multi-query: all pictures of a person in a camera ask one question together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmreid_ext.protocols.image_table import JUNK, ImageColumns
from mmreid_ext.protocols.protocol import EvaluationProtocol, Split, rows_of_role


@dataclass(frozen=True)
class MultiQueryProtocol(EvaluationProtocol):
    """The camera protocol with one query per identity and camera, the mean of its pictures.

    The queries of one identity and one camera are pooled: their embeddings are averaged, for the
    cosine after each was L2-normalised. ``Market1501(multi_query=True)`` gives the hand-drawn boxes
    of ``gt_bbox`` as queries, which makes the published multi-query of 3,368 questions. The first
    row of a group stands for it in per-query scores and pictures.

    Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133. The paper pools by the mean or the maximum; this is the
    mean.

    Args:
        with_gallery: Whether to pool the gallery pictures of the query's identity and camera, too.
            The camera rule takes them out of that query's ranking, so none is found by itself. It
            needs no ``gt_bbox``, and its scores do not compare with published ones: the pictures
            come from a detector. Defaults to False.
        ranks: The k of the reported R@k.
    """

    with_gallery: bool = False
    ranks: tuple[int, ...] = (1, 5, 10, 20)
    use_cameras = True

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield the one split: a query per identity and camera, with the rows of its pictures."""
        query, gallery = rows_of_role(images, "query"), rows_of_role(images, "gallery")
        pooled = [query]
        if self.with_gallery:
            asked = ~images.distractors[gallery] & (images.pids[gallery] != JUNK)
            pooled.append(gallery[asked])
        rows = np.concatenate(pooled)
        keys = np.stack([images.pids[rows], images.camids[rows]], axis=1)
        _, groups = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(groups.reshape(-1), kind="stable")  # queries before gallery pictures
        starts = np.flatnonzero(np.diff(groups.reshape(-1)[order], prepend=-1))
        pools = np.split(rows[order], starts[1:])
        pools = [pool for pool in pools if images.roles[pool[0]] == "query"]
        firsts = np.array([pool[0] for pool in pools], dtype=np.int64)
        kept = np.argsort(firsts, kind="stable")
        yield Split(
            firsts[kept],
            gallery,
            0,
            images.camids[firsts[kept]],
            images.camids[gallery],
            pools=tuple(pools[i] for i in kept),
        )
