"""Put what the ranks saw of their images together into one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mmreid_ext.distributed import gather_rows
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import ROLES

from .embedding_set import EmbeddingSet


def image_facts(sample: Mapping[str, Any]) -> tuple[list[int], str, str]:
    """What one image shows: index, identity, camera and role as numbers, test set and path."""
    role = sample["role"]
    if role not in ROLES:
        raise UserError(
            f"role must be 'query' or 'gallery' at test time, got {role!r} for "
            f"{sample.get('img_path')}."
        )
    numbers = [int(sample[key]) for key in ("sample_idx", "pid", "camid")]
    return [*numbers, ROLES.index(role)], str(sample["dataset"]), str(sample.get("img_path", ""))


def gather_strings(strings: Sequence[str], device: torch.device) -> np.ndarray:
    """Strings of all ranks in rank order, sent as bytes: nothing is pickled."""
    encoded = [text.encode("utf-8", "surrogateescape") for text in strings]
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8).copy()
    lengths = torch.tensor([len(item) for item in encoded], dtype=torch.int64)
    lengths = gather_rows(lengths.to(device)).cpu().numpy()
    joined = gather_rows(torch.from_numpy(data).to(device)).cpu().numpy().tobytes()
    ends = np.cumsum(lengths)
    return np.array(
        [
            joined[e - n : e].decode("utf-8", "surrogateescape")
            for e, n in zip(ends, lengths, strict=True)
        ],
        dtype=np.str_,
    )


def without_padding(gathered: Mapping[str, Any], size: int, order: Iterable[str]) -> EmbeddingSet:
    """Order by test set and index, keep one of each; check that nothing is missing."""
    index, pids, camids, roles = gathered["numbers"].T
    datasets, names = gathered["datasets"], gathered["names"]
    # The index is unique within a dataset object; query and gallery may be two objects of one name.
    place = {name: i for i, name in enumerate(dict.fromkeys([*order, *datasets.tolist()]))}
    codes = np.array([place[name] for name in datasets.tolist()], dtype=np.int64)
    keys = np.stack([codes, roles, index], axis=1).reshape(-1, 3)
    _, rows = np.unique(keys, axis=0, return_index=True)
    if len(rows) != size:
        raise UserError(
            f"Evaluated {len(rows)} distinct images of {len(index)} processed, but the dataset "
            f"has {size}. "
            + (
                "Some were never processed: "
                "test with `DefaultSampler(shuffle=False, round_up=True)` and `drop_last=False`."
                if len(rows) < size
                else "`sample_idx` must number the images of a test set."
            )
        )
    images = EmbeddingSet(gathered["feats"], pids, camids, np.array(ROLES)[roles], datasets, names)
    return images.take(rows)
