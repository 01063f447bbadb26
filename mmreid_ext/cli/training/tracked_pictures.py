"""Draw what trackers show of a validation: a ranked list, and small pictures of embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor

from mmreid_ext.evaluation import EmbeddingSet
from mmreid_ext.protocols import EvaluationProtocol, Labels
from mmreid_ext.visualization import rank_queries, save_ranked_list_png
from mmreid_ext.visualization.thumbnails import ThumbnailReader

QUERIES = 200
"""Queries that are ranked for the picture: a tenth of a second, whatever the gallery."""

ROWS, RANKS = 8, 10
PROJECTED = 1000
"""Embeddings in the projector: their pictures must fit into one of 8192 x 8192 pixels."""

SIDE = 64
"""Pixels of a picture in the projector, which wants squares."""


def draw_ranked_list(
    path: Path,
    name: str,
    images: EmbeddingSet,
    protocol: EvaluationProtocol,
    distance: str,
    people: Mapping[int, str],
) -> bool:
    """Draw the worst of some queries of a test set, by its first split.

    Args:
        path: File to write.
        name: Name of the test set.
        images: Its embeddings.
        protocol: Its protocol.
        distance: ``'cosine'`` or ``'euclidean'``.
        people: Names that the user gave to identities.

    Returns:
        Whether there was a query with a match.
    """
    split = next(iter(protocol.splits(images)))
    labels = Labels.of(images, split)
    matches = labels.same_identity() - labels.removed_same() - labels.removed_unknown()
    chosen = _spread(np.flatnonzero(matches > 0), QUERIES)
    if not len(chosen):
        return False
    query = split.query[chosen]
    ranked = rank_queries(
        images.query_features(split, distance)[chosen],
        images.feats[split.gallery],
        labels.query_pids[chosen],
        labels.gallery_pids,
        None if labels.query_camids is None else labels.query_camids[chosen],
        labels.gallery_camids,
        distance=distance,
        topk=RANKS,
        limit=ROWS,
        counting=protocol.counting,
    )
    # A protocol may put other numbers in the place of cameras; the pictures show the real ones.
    shown = replace(
        ranked,
        query_camids=images.camids[query],
        gallery_camids=images.camids[split.gallery],
        pid_names=people,
    )
    paths = [images.names[rows].tolist() for rows in (query, split.gallery)]
    title = f"{name}, {len(query)} queries"
    save_ranked_list_png(path, shown, *paths, limit=ROWS, title=title)
    return True


def projector_input(images: EmbeddingSet) -> tuple[Tensor, list[str], Tensor]:
    """Return embeddings, labels and thumbnails (N, 3, S, S) of up to a thousand images."""
    rows = _spread(np.arange(len(images)), PROJECTED)
    reader = ThumbnailReader(height=SIDE)
    pictures = [
        np.asarray(ImageOps.pad(reader.image(str(images.names[row])), (SIDE, SIDE), color="white"))
        for row in rows
    ]
    labels = [f"{images.pids[row]} {images.roles[row]}" for row in rows]
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    return images.feats[rows], labels, pixels


def _spread(rows: np.ndarray, number: int) -> np.ndarray:
    """Take some of the rows, evenly."""
    return rows[np.linspace(0, len(rows) - 1, min(number, len(rows))).astype(int)]
