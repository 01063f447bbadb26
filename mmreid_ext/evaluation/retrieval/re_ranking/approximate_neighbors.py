"""Approximate nearest neighbours, for galleries of millions: FAISS, where it is installed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmreid_ext.errors import MissingPackageError
from mmreid_ext.evaluation.retrieval.settings import Progress
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity

from .neighbors import Neighbors

SAMPLE = 4096  # images among which the farthest one is looked for
CHUNK = 8192


def approximate_neighbors(
    similarity: FeatureSimilarity, feats: Tensor, k: int, *, progress: Progress | None = None
) -> Neighbors:
    """Find about the ``k`` nearest images of every image, itself among them, by an inverted file.

    The images are clustered into ``4 * sqrt(N)`` cells, and each searches the sixteenth of them
    that is nearest to it: about a sixteenth of the N x N product. Runs on the CPU; every rank does
    the same. The farthest distance is that to the farthest of 4,096 images spread over the set.

    Args:
        similarity: Of N images with themselves.
        feats: Their features, (N, D).
        k: Number of neighbours, at most N.
        progress: Called with ('neighbours', images done, N).

    Raises:
        ImportError: If FAISS is not installed.
    """
    faiss = _import_faiss()
    units = torch.cat([(x * b[:, None]).float() for x, b in _blocks(feats, similarity)]).cpu()
    number, dim = units.shape
    cells = max(1, min(round(4 * math.sqrt(number)), number // 40))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, cells, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = max(8, cells // 16)
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


def _blocks(feats: Tensor, similarity: FeatureSimilarity) -> zip:
    """Features and the inverses of their norms, some at a time: float64 copies are large."""
    return zip(feats.split(CHUNK), similarity.b.split(CHUNK), strict=True)


def _import_faiss():
    try:
        import faiss
    except ImportError as error:
        raise MissingPackageError(
            "rerank=dict(approximate=True) searches neighbours with FAISS, which is not installed: "
            "pip install faiss-cpu, or leave `approximate` out for the exact search."
        ) from error
    return faiss
