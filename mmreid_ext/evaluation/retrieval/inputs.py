"""Check features and labels before they are ranked.

Shapes: Q queries, G gallery images, N rows, D numbers per feature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures, Features, chosen_rows
from mmreid_ext.protocols.image_table import JUNK

_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def as_features(feats: Features | np.ndarray, name: str) -> Tensor:
    """Take features as an (N, D) floating tensor, without a copy unless one is needed.

    Features on disk stay there; they read like a tensor.

    The result may be the user's own memory, so it must only be read.

    Args:
        feats: Tensor or array of float16, bfloat16, float32 or float64.
        name: What errors call it.

    Raises:
        TypeError: For anything but a floating tensor or array.
        ValueError: For another number of dimensions.
    """
    if isinstance(feats, DiskFeatures):
        return feats  # type: ignore[return-value]  # they read like a tensor
    if isinstance(feats, np.ndarray) and feats.dtype.kind == "f" and feats.itemsize <= 8:
        feats = torch.from_numpy(feats if _can_be_shared(feats) else _plain_copy(feats))
    if not isinstance(feats, Tensor) or feats.dtype not in _TYPES or feats.is_sparse:
        kind = getattr(feats, "dtype", type(feats).__name__)
        raise UserTypeError(
            f"{name} must be a floating torch.Tensor or numpy array "
            f"(float16, bfloat16, float32 or float64), got {kind}; "
            "convert it, e.g. by feats.astype('float32') or feats.float()."
        )
    if feats.ndim != 2 or feats.shape[1] == 0:
        raise UserError(f"{name} must have shape (N, D) with D > 0, got {tuple(feats.shape)}.")
    return feats.detach()


def _can_be_shared(feats: np.ndarray) -> bool:
    """Whether PyTorch takes the array's own memory, without a warning."""
    strides_fit = all(x >= 0 and x % feats.itemsize == 0 for x in feats.strides)
    return feats.flags.writeable and feats.dtype.isnative and strides_fit


def _plain_copy(feats: np.ndarray) -> np.ndarray:
    return np.array(feats, dtype=feats.dtype.newbyteorder("="), order="C")


def as_labels(labels: ArrayLike | Tensor, feats: Tensor, name: str, feats_name: str) -> Tensor:
    """Take labels as an int64 tensor of shape (N,), on the device of their features.

    Args:
        labels: 1-D integers: tensor, array or list.
        feats: The features that they belong to, (N, D).
        name: What errors call the labels.
        feats_name: What errors call the features.

    Raises:
        TypeError: If they are not integers.
        ValueError: If there are more or fewer than features, or one is too large for int64.
    """
    array = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.size and array.dtype.kind not in "iu":
        raise UserTypeError(f"{name} must be integers, got {array.dtype}.")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise UserError(f"{name} has {array.max()}, at most 2**63 - 1; renumber them.")
    if array.shape != (len(feats),):
        raise UserError(
            f"{name} has shape {array.shape}, {feats_name} has {len(feats)} rows; "
            "give one label per row."
        )
    return torch.from_numpy(array.astype(np.int64)).to(feats.device)


@dataclass(frozen=True)
class RetrievalInputs:
    """Checked features and labels on one device.

    Attributes:
        query: (Q, D) features.
        gallery: (G, D) features, junk left out.
        query_pids: (Q,) int64.
        gallery_pids: (G,) int64.
        query_camids: (Q,) int64, or None: no camera rule.
        gallery_camids: (G,) int64, or None.
        gallery_rows: (G,) int64, numbers of the rows in what was given; None: all of them.
    """

    query: Tensor
    gallery: Tensor
    query_pids: Tensor
    gallery_pids: Tensor
    query_camids: Tensor | None = None
    gallery_camids: Tensor | None = None
    gallery_rows: Tensor | None = None

    @classmethod
    def check(
        cls,
        query: Tensor | np.ndarray,
        gallery: Tensor | np.ndarray,
        query_pids: ArrayLike | Tensor,
        gallery_pids: ArrayLike | Tensor,
        query_camids: ArrayLike | Tensor | None,
        gallery_camids: ArrayLike | Tensor | None,
    ) -> RetrievalInputs:
        """Convert what the user gave, or say what is wrong with it.

        Args:
            query: Shape (Q, D).
            gallery: Shape (G, D).
            query_pids: Shape (Q,).
            gallery_pids: Shape (G,); images of identity -1 (junk) are left out.
            query_camids: Shape (Q,), or None for no camera rule.
            gallery_camids: Shape (G,), or None.

        Raises:
            TypeError: For wrong types of features or labels.
            ValueError: For shapes, devices or cameras that do not fit together.
        """
        query, gallery = check_features(query, gallery)
        if (query_camids is None) != (gallery_camids is None):
            given, missing = (
                ("query", "gallery") if gallery_camids is None else ("gallery", "query")
            )
            raise UserError(
                f"{given}_camids is given and {missing}_camids is not; "
                "give both for the camera rule or neither for none."
            )

        def of_query(labels: ArrayLike | Tensor, name: str) -> Tensor:
            return as_labels(labels, query, name, "query_feats")

        def of_gallery(labels: ArrayLike | Tensor, name: str) -> Tensor:
            return as_labels(labels, gallery, name, "gallery_feats")

        return cls(
            query,
            gallery,
            of_query(query_pids, "query_pids"),
            of_gallery(gallery_pids, "gallery_pids"),
            None if query_camids is None else of_query(query_camids, "query_camids"),
            None if gallery_camids is None else of_gallery(gallery_camids, "gallery_camids"),
        )._without_junk()

    def _without_junk(self) -> RetrievalInputs:
        keep = self.gallery_pids != JUNK
        if keep.all():
            return self
        cameras = self.gallery_camids
        return replace(
            self,
            gallery=chosen_rows(self.gallery, keep),
            gallery_pids=self.gallery_pids[keep],
            gallery_camids=None if cameras is None else cameras[keep],
            gallery_rows=keep.nonzero().flatten(),
        )


def check_features(
    query: Tensor | np.ndarray, gallery: Tensor | np.ndarray
) -> tuple[Tensor, Tensor]:
    """Check that two sets of features can be compared.

    Raises:
        TypeError: For anything but floating tensors or arrays.
        ValueError: For different lengths of a feature, or different devices.
    """
    query, gallery = as_features(query, "query_feats"), as_features(gallery, "gallery_feats")
    if query.shape[1] != gallery.shape[1]:
        raise UserError(
            f"query_feats have {query.shape[1]} dimensions, gallery_feats {gallery.shape[1]}; "
            "both must come from one model."
        )
    if query.device != gallery.device:
        raise UserError(
            f"query_feats are on {query.device}, gallery_feats on {gallery.device}; move one."
        )
    return query, gallery
