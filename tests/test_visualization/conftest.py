from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@dataclass
class People:
    """Small retrieval task with pictures: noisy embeddings of 8 identities seen by 3 cameras."""

    arrays: tuple[np.ndarray, ...]  # query_feats, gallery_feats, pids of both, camids of both
    query_paths: list[str]
    gallery_paths: list[str]
    root: Path

    def save_features(self, path: Path, **more: object) -> Path:
        """Write a features file of them, without cameras' rule; ``more`` is added to its arrays."""
        query, gallery, *labels = self.arrays
        roles = ["query"] * len(query) + ["gallery"] * len(gallery)
        np.savez(
            path,
            feats=np.concatenate([query, gallery]),
            pids=np.concatenate(labels[:2]),
            camids=np.concatenate(labels[2:]),
            roles=roles,
            datasets=["first"] * len(roles),
            names=self.query_paths + self.gallery_paths,
            note_protocols=json.dumps({"first": {"type": "no_camera"}}),
            **more,
        )
        return path


def make_people(root: Path, noise: float = 1.0, seed: int = 0) -> People:
    generator = np.random.default_rng(seed)
    pids, camids = (x.ravel() for x in np.meshgrid(np.arange(1, 9), np.arange(3), indexing="ij"))
    query_pids, query_camids = pids, camids
    gallery_pids, gallery_camids = np.repeat(pids, 2), np.repeat(camids, 2)
    gallery_pids[:4] = -1, -1, 0, 0  # junk and distractors
    centres = generator.normal(size=(10, 16))
    feats = [
        (centres[labels] + noise * generator.normal(size=(len(labels), 16))).astype(np.float32)
        for labels in (query_pids, gallery_pids)
    ]
    paths = []
    for side, labels in (("query", query_pids), ("gallery", gallery_pids)):
        (root / side).mkdir(parents=True)
        names = [f"{side}/{row:02d}_{pid}.jpg" for row, pid in enumerate(labels)]
        for row, (name, pid) in enumerate(zip(names, labels, strict=True)):
            colour = (int(20 * pid) % 256, 5 * row, 90 if side == "query" else 200)
            Image.new("RGB", (24, 48), colour).save(root / name)
        paths.append(names)
    arrays = (*feats, query_pids, gallery_pids, query_camids, gallery_camids)
    return People(arrays, *paths, root)


@pytest.fixture
def people(tmp_path: Path) -> People:
    return make_people(tmp_path / "images")
