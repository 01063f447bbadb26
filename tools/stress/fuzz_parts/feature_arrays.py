"""Arrays of a features file: sound ones, and archives of the wrong things."""

from __future__ import annotations

import io
from typing import Any

import numpy as np


def sound_features() -> dict[str, np.ndarray]:
    """Return what a sound file holds."""
    return dict(
        feats=np.eye(6, 4, dtype="f4"),
        pids=np.arange(6) // 2,
        camids=np.arange(6) % 2,
        roles=np.array(["query", "gallery"] * 3),
        datasets=np.full(6, "shop"),
        names=np.array([f"{i}.jpg" for i in range(6)]),
        distractors=np.zeros(6, dtype=bool),
        note_checkpoint=np.array('{"file": "best.pth", "sha256": null}'),
        note_protocols=np.array('{"shop": {"type": "camera"}}'),
        note_pid_names=np.array('{"shop": {"0": "anna"}}'),
    )


def other_arrays(rng: np.random.Generator) -> bytes:
    """Replace or leave out arrays."""
    arrays: dict[str, Any] = sound_features()
    wrong = (
        *(np.zeros(0), np.zeros((6, 0)), np.array(5), np.full(6, np.nan), np.full((6, 4), np.inf)),
        *(np.array(["x"] * 6), np.array(["\x1b[31m" * 60] * 6), np.array([2**63] * 6, dtype="u8")),
        *(np.zeros((6, 4), dtype="c8"), np.zeros(6, dtype="M8[s]"), np.array([b"query"] * 6)),
        *(np.zeros((6, 4), dtype="f2"), np.zeros(6, dtype=[("a", "i4")]), np.array("[" * 5000)),
        *(np.array("{"), np.array('{"shop": 5}'), np.array("null"), np.zeros((6, 4, 1))),
    )
    for _ in range(int(rng.integers(1, 4))):
        key = list(arrays)[int(rng.integers(0, len(arrays)))]
        if rng.random() < 0.2 and len(arrays) > 1:
            del arrays[key]
        else:
            arrays[key] = wrong[int(rng.integers(0, len(wrong)))]
    file = io.BytesIO()
    save = np.savez if rng.random() < 0.7 else np.savez_compressed
    save(file, **arrays)
    return file.getvalue()
