"""Put what the ranks saw of their images together into one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.distributed import barrier, gather_rows
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import ROLES

from .embedding_set import EmbeddingSet

_NEEDED = ("pred_embedding", "pid", "camid", "role", "dataset", "sample_idx")

Metadata = tuple[list[int], str, str]
"""What one image shows: index, identity, camera and role as numbers, test set, path."""


def require_entries(samples: Sequence[Mapping[str, Any]]) -> None:
    """Check that every sample has what the metric reads.

    Raises:
        ValueError: Names what is missing, and where it comes from.
    """
    for sample in samples:
        missing = [key for key in _NEEDED if key not in sample]
        if missing:
            raise UserError(
                f"ReIDMetric needs {missing} in every sample, got {sorted(sample)}. "
                "Embeddings come from ReIDModel, the rest from PackInputs(meta_keys="
                "('sample_idx', 'img_path', 'pid', 'camid', 'domain', 'role', 'dataset'))."
            )


def image_metadata(sample: Mapping[str, Any]) -> Metadata:
    """Read what one image shows.

    Args:
        sample: Has ``sample_idx``, ``pid``, ``camid``, ``role``, ``dataset`` and, where known,
            ``img_path``.

    Raises:
        ValueError: If the role is none of a test.
    """
    role = sample["role"]
    if role not in ROLES:
        raise UserError(
            f"role must be 'query' or 'gallery' at test time, got {role!r} for "
            f"{sample.get('img_path')}."
        )
    numbers = [int(sample[key]) for key in ("sample_idx", "pid", "camid")]
    return [*numbers, ROLES.index(role)], str(sample["dataset"]), str(sample.get("img_path", ""))


@dataclass(frozen=True)
class GatheredImages:
    """Images of all ranks, in rank order, those repeated to even out the ranks among them.

    Args:
        feats: Embeddings, shape (N, D), on the CPU.
        numbers: Index, identity, camera and place in ``ROLES``, shape (N, 4), int64.
        datasets: Name of the test set, shape (N,), strings.
        names: Image path, shape (N,), strings.
    """

    feats: Tensor
    numbers: np.ndarray
    datasets: np.ndarray
    names: np.ndarray

    def without_padding(self, size: int, order: Iterable[str]) -> EmbeddingSet:
        """Sort by test set and index, and keep one of each image.

        Args:
            size: Images in the data set.
            order: Test sets that come first.

        Raises:
            ValueError: If there are fewer or more distinct images than ``size``.
        """
        index, pids, camids, roles = self.numbers.T
        # The index is unique within a dataset object; query and gallery may be two of one name.
        found = self.datasets.tolist()
        place = {name: i for i, name in enumerate(dict.fromkeys([*order, *found]))}
        codes = np.array([place[name] for name in found], dtype=np.int64)
        keys = np.stack([codes, roles, index], axis=1).reshape(-1, 3)
        _, rows = np.unique(keys, axis=0, return_index=True)
        if len(rows) != size:
            missing = (
                "Some were never processed: test with "
                "`DefaultSampler(shuffle=False, round_up=True)` and `drop_last=False`."
            )
            raise UserError(
                f"Evaluated {len(rows)} distinct images of {len(index)} processed, but the data "
                f"set has {size}. "
                + (missing if len(rows) < size else "`sample_idx` must number its images.")
            )
        role_names = np.array(ROLES)[roles]
        images = EmbeddingSet(self.feats, pids, camids, role_names, self.datasets, self.names)
        return images.take(rows)


def gather_images(
    batches: Sequence[tuple[Tensor, Sequence[Metadata]]], device: torch.device
) -> GatheredImages:
    """Gather the images of all ranks.

    Args:
        batches: Embeddings (B, D) and what their images show, of this rank; may be empty.
        device: Where ranks exchange tensors.
    """
    barrier()  # a rank with a slow disk may need minutes more
    feats = [batch for batch, _ in batches]
    metadata = [image for _, batch in batches for image in batch]
    width = gather_rows(torch.tensor([feats[0].shape[1] if feats else 0], device=device)).max()
    local = torch.cat(feats) if feats else torch.zeros(0, int(width))
    numbers = torch.tensor([image[0] for image in metadata], dtype=torch.int64).reshape(-1, 4)
    return GatheredImages(
        gather_rows(local.to(device)).cpu(),
        gather_rows(numbers.to(device)).cpu().numpy(),
        gather_strings([image[1] for image in metadata], device),
        gather_strings([image[2] for image in metadata], device),
    )


def gather_strings(strings: Sequence[str], device: torch.device) -> np.ndarray:
    """Gather strings of all ranks in rank order, sent as bytes: nothing is pickled."""
    encoded = [text.encode("utf-8", "surrogateescape") for text in strings]
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8).copy()
    counts = torch.tensor([len(item) for item in encoded], dtype=torch.int64)
    lengths = gather_rows(counts.to(device)).cpu().numpy()
    joined = gather_rows(torch.from_numpy(data).to(device)).cpu().numpy().tobytes()
    ends = np.cumsum(lengths)
    parts = [joined[end - n : end] for end, n in zip(ends, lengths, strict=True)]
    return np.array([part.decode("utf-8", "surrogateescape") for part in parts], dtype=np.str_)
