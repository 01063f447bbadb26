"""Find approximate nearest neighbours with FAISS, for galleries of millions.

Shapes: N images, k neighbours, D numbers per feature.
"""

from __future__ import annotations

import math
from types import ModuleType

import torch
from torch import Tensor

from mmreid_ext.errors import MissingPackageError
from mmreid_ext.evaluation.retrieval.settings import Progress
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity

from .neighbors import Neighbors

SAMPLE = 4096
"""Images among which the farthest one is looked for."""

CHUNK = 8192
"""Images converted or searched at a time: float64 copies are large."""

_POINTS_PER_CELL = 40
"""FAISS warns of fewer than 39 when it clusters."""

_CELLS_SEARCHED = 16
"""Each image searches the nearest sixteenth of the cells ..."""

_MIN_SEARCHED = 8
"""... and no fewer than these, which small sets need."""


def approximate_neighbors(
    similarity: FeatureSimilarity, feats: Tensor, k: int, *, progress: Progress | None = None
) -> Neighbors:
    """Find about the ``k`` nearest images of every image, itself among them, by an inverted file.

    Clusters the images into ``4 * sqrt(N)`` cells. Each image searches the sixteenth of the cells
    nearest to it: about a sixteenth of the N x N product. Runs on the CPU; every rank does the
    same. The farthest distance is that to the farthest of 4,096 images spread over the set.

    Args:
        similarity: Of N images with themselves.
        feats: Their features, (N, D).
        k: Number of neighbours, at most N.
        progress: Called with ('neighbours', images done, N).

    Raises:
        ImportError: If FAISS is not installed.
    """
    faiss = _import_faiss()
    blocks = zip(feats.split(CHUNK), similarity.b.split(CHUNK), strict=True)
    units = torch.cat([(x * b[:, None]).float() for x, b in blocks]).cpu()
    number, dim = units.shape
    cells = max(1, min(round(4 * math.sqrt(number)), number // _POINTS_PER_CELL))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, cells, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = max(_MIN_SEARCHED, cells // _CELLS_SEARCHED)
    vectors = units.numpy()
    index.train(vectors)
    index.add(vectors)
    found = torch.empty((number, k), dtype=torch.int64)
    for start in range(0, number, CHUNK):
        stop = min(start + CHUNK, number)
        found[start:stop] = torch.from_numpy(index.search(vectors[start:stop], k)[1])
        if progress is not None:
            progress("neighbours", stop, number)
    everyone = torch.arange(number)
    found = torch.where(found < 0, everyone[:, None], found)  # fewer than k in the cells searched
    sample = torch.arange(0, number, max(1, number // SAMPLE))
    lowest = [sample[(part @ units[sample].T).argmin(dim=1)] for part in units.split(CHUNK)]
    everyone, farthest = everyone.to(feats.device), torch.cat(lowest).to(feats.device)
    return Neighbors(found.to(feats.device), similarity.pairs(everyone, farthest))


def _import_faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise MissingPackageError(
            "rerank=dict(approximate=True) searches neighbours with FAISS, which is not installed: "
            "pip install faiss-cpu, or leave `approximate` out for the exact search."
        ) from error
    return faiss
