"""Images with embeddings for tests of protocols, and splits written to files."""

import json

import numpy as np
import torch

from mmreid_ext.evaluation import EmbeddingSet
from mmreid_ext.protocols import ImageTable, build_protocol


def image_set(pids, camids, roles, feats=None, name="people"):
    """Make images of these columns; random embeddings if none are given."""
    count = len(pids)
    if feats is None:
        feats = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    names = [f"{i}.png" for i in range(count)]
    return EmbeddingSet(feats, pids, camids, roles, [name] * count, names)


def angles(*degrees):
    """Unit vectors of the plane at these angles, shape (N, 2)."""
    radians = np.radians(degrees)
    return torch.tensor(np.stack([np.cos(radians), np.sin(radians)], axis=1))


def table(rows, lone=(), kind=ImageTable):
    """Make a table from (pid, camid, role); the rows in ``lone`` are distractors."""
    pids, camids, roles = (list(column) for column in zip(*rows, strict=True))
    marks = [i in lone for i in range(len(rows))]
    rest = (pids, camids, roles, ["set"] * len(rows), [f"{i}.jpg" for i in range(len(rows))], marks)
    return kind(torch.eye(len(rows)), *rest) if kind is EmbeddingSet else kind(*rest)


def clustered_set(rows, name="bench", dim=6, seed=0):
    """Images from (pid, camid, role, file name), embedded around a random point per identity."""
    pids = np.array([row[0] for row in rows])
    rng = np.random.default_rng(seed)
    feats = rng.normal(size=(pids.max() + 1, dim))[pids] + 0.5 * rng.normal(size=(len(rows), dim))
    columns = [[row[i] for row in rows] for i in (1, 2)]
    names = [row[3] if len(row) > 3 else f"{i}.png" for i, row in enumerate(rows)]
    return EmbeddingSet(torch.tensor(feats), pids, *columns, [name] * len(rows), names)


def viper(first=1):
    return clustered_set(
        [(p, c, ("query", "gallery")[c]) for c in (0, 1) for p in range(first, first + 632)]
    )


def prid():
    # cam_a shows persons 1..385, cam_b 1..749; equal numbers above 200 are different people.
    return clustered_set(
        [(p, 0, "query") for p in range(1, 386)] + [(p, 1, "gallery") for p in range(1, 750)]
    )


def grid():
    pairs = [(p, p % 8, "query") for p in range(1, 251)] + [
        (p, p % 7, "gallery") for p in range(1, 251)
    ]
    return clustered_set(pairs + [(0, i % 8, "gallery") for i in range(775)])


def ilids():
    rows = [(p, i, "gallery") for p in range(1, 120) for i in range(2 + p % 7)]
    return clustered_set(rows)


def small_set():
    return clustered_set(
        [
            (p, c, ("query", "gallery")[c], f"data/cam_{'ab'[c]}/{p:03d}.png")
            for p in range(1, 6)
            for c in (0, 1)
        ]
    )


def write_splits(tmp_path, content):
    path = tmp_path / "splits.json"
    path.write_text(json.dumps(content))
    return str(path)


def two_people(distractors):
    """Make a table of two people twice, two distractors of number 7, all in two cameras."""
    pids = [1, 1, 2, 2, 7, 7]
    roles = ["query", "gallery"] * 3
    return ImageTable(pids, [0, 1] * 3, roles, ["set"] * 6, [""] * 6, distractors)


def listed_splits(tmp_path, content, images):
    """List the splits that a split file with this content makes of some images."""
    file = write_splits(tmp_path, content)
    return list(build_protocol(dict(type="split_list", file=file)).splits(images))
