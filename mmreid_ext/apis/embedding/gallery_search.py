"""Search a gallery for queries, each without itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from mmreid_ext.apis.inferencer import ReIDInferencer
from mmreid_ext.apis.search import nearest
from mmreid_ext.apis.search_report import Found, Hit
from mmreid_ext.errors import UserError
from mmreid_ext.protocols.camera_label import camera_label
from mmreid_ext.verdicts.answers import same_person

from .gallery import Gallery, embed_to_file
from .identity import notes_of
from .image_list import ImageList, list_of

SURELY_ITSELF = 1 - 1e-6
"""Similarity above which two pictures of one name are one picture, embedded in other batches.

Embeddings that differ by 1e-3 of their length lose half of its square."""


def query_files(given: Sequence[str]) -> list[str]:
    """List the query pictures; folders give theirs, with those of subfolders."""
    found = []
    for source in given:
        images = list_of(source)
        found += [os.path.join(images.folder, path) for path in images.paths]
    return found


def embed_queries(
    inferencer: ReIDInferencer, queries: list[str], model: str
) -> tuple[list[str], Tensor, dict[str, str]]:
    """Embed the queries; return those that can be read, their embeddings, and why others can't.

    Raises:
        UserError: If none can be read.
    """
    listed = ImageList("the queries", Path(), queries)
    with tempfile.TemporaryDirectory() as folder:
        stored, _, reasons = embed_to_file(
            inferencer,
            listed,
            Path(folder, "queries.npz"),
            notes_of(model, inferencer),
            threads=min(4, os.cpu_count() or 1),
        )
    if not len(stored):
        raise UserError(f"No query can be read, first {queries[0]}: {reasons[0]}")
    lost = {queries[place]: why for place, why in sorted(reasons.items())}
    return [query for query in queries if query not in lost], stored.feats, lost


def search(
    inferencer: ReIDInferencer, queries: list[str], feats: Tensor, gallery: Gallery, topk: int
) -> list[Found]:
    """Find the nearest pictures of every query, without the query itself."""
    images, lists = gallery.images, []
    own = gallery.own_places(queries)
    # More than asked for: the query itself may be among them.
    nearest_of = nearest(feats, images.feats, topk + max(map(len, own)))
    for query, itself, rows, values in zip(
        queries, own, nearest_of.indices.tolist(), nearest_of.similarities.tolist(), strict=True
    ):
        pairs = list(zip(rows, values, strict=True))
        # Where the folder isn't known, a name alone could be another picture's.
        alike = {row for row, value in pairs if gallery.folder or value > SURELY_ITSELF}
        others = [(row, value) for row, value in pairs if row not in itself & alike]
        hits = [
            Hit(
                rank,
                str(images.names[row]),
                value,
                person_of(int(images.pids[row]), gallery),
                camera_label(int(images.camids[row])) if images.camids[row] >= 0 else "",
                same_person(value, inferencer.thresholds),
            )
            for rank, (row, value) in enumerate(others[:topk], 1)
        ]
        lists.append(Found(query, hits, bool(itself & alike)))
    return lists


def person_of(pid: int, gallery: Gallery) -> str:
    """Name a person; empty where unknown."""
    return gallery.pid_names.get(pid, str(pid)) if pid >= 0 else ""
