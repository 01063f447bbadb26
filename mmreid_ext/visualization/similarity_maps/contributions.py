"""Trace the similarity of two images back to the places of their feature maps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_ext.errors import UserError

from .captured import as_grid, captured_map

_AGREEMENT = 1e-4
"""Largest difference between the embedding that is traced and the one that tests compare."""


class PairMaps(NamedTuple):
    """What each place of two images adds to their similarity.

    Attributes:
        similarity: Cosine of the two embeddings.
        first: Of the first image, (h, w) float64, positive where a place draws them together.
        second: Of the second image.
        rests: What no place adds, for both: constants such as the bias of a norm. Each map and its
            rest sum up to the similarity where the head is affine.
    """

    similarity: float
    first: np.ndarray
    second: np.ndarray
    rests: tuple[float, float]


def similarity_maps(
    model: Any, first: Tensor, second: Tensor | None = None, layer: str | None = None
) -> PairMaps:
    r"""Compute what each place of two images adds to the cosine of their embeddings.

    With :math:`z_1` the embedding of an image before its normalisation, :math:`u_2` the unit
    embedding of the other one, and :math:`A_{cp}` the feature map, place p adds

    .. math:: \frac{1}{|z_1|} \sum_c A_{cp} \frac{\partial (z_1 \cdot u_2)}{\partial A_{cp}}.

    Behind average pooling and an affine head (BNNeck, a linear layer) that is the decomposition of
    A. Stylianou, R. Souvenir, R. Pless, "Visualizing Deep Similarity Networks", WACV 2019,
    https://arxiv.org/abs/1901.00536, exactly. Elsewhere it is its first-order form: activation
    times gradient, summed over channels. It differs from R. Selvaraju et al., "Grad-CAM", ICCV
    2017, https://arxiv.org/abs/1610.02391, in that gradients are not averaged over places and that
    negative contributions are kept. A map says which places count, not why.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel` in evaluation mode. Its ``flip_test`` is left
            out.
        first: Preprocessed image, (1, 3, H, W).
        second: The other one; None: the first with itself, which shows what its embedding is made
            of.
        layer: See :func:`.captured.captured_map`.

    Raises:
        UserError: If the layer can't be used, or the head isn't one of ours.
    """
    z_first, map_first = _traced(model, first, layer)
    z_second, map_second = (z_first, map_first) if second is None else _traced(model, second, layer)
    units = F.normalize(z_first.detach()), F.normalize(z_second.detach())
    similarity = float((units[0] * units[1]).sum())
    extra = int(getattr(model.backbone, "num_extra_tokens", 0))
    size = (first.shape[-2], first.shape[-1])
    one = _contributions(z_first, map_first, units[1], size, extra)
    if second is None:
        return PairMaps(similarity, one, one, (similarity - float(one.sum()),) * 2)
    size = (second.shape[-2], second.shape[-1])
    other = _contributions(z_second, map_second, units[0], size, extra)
    rests = similarity - float(one.sum()), similarity - float(other.sum())
    return PairMaps(similarity, one, other, rests)


def _traced(model: Any, image: Tensor, layer: str | None) -> tuple[Tensor, Tensor]:
    """Return the embedding (1, D) before its normalisation, and the map that it comes from."""
    with torch.enable_grad(), captured_map(model, layer) as found:
        pooled = model.pool(image.detach().clone().requires_grad_())
        embedding = _before_normalisation(model.head, pooled)
    if len(found) != 1:
        raise UserError(
            f"similarity_maps: layer={layer!r} ran {len(found)} times for an image, must run once; "
            "choose another one."
        )
    return embedding.float(), found[0]


def _before_normalisation(head: Any, pooled: Tensor) -> Tensor:
    compares_feats = getattr(head, "test_feature", "embeddings") == "feats"
    embedding = pooled if compares_feats else head(pooled).embeddings
    difference = (F.normalize(embedding.float()) - head.embed(pooled)).abs().max()
    if not difference <= _AGREEMENT:
        raise UserError(
            f"similarity_maps: {type(head).__name__}.embed isn't the normalised `embeddings` of "
            "its forward, so it can't be traced; use a head of mmreid_ext."
        )
    return embedding


def _contributions(
    embedding: Tensor, features: Tensor, unit: Tensor, size: tuple[int, int], extra: int
) -> np.ndarray:
    product = (embedding * unit).sum()
    (gradient,) = torch.autograd.grad(product, features, retain_graph=True)
    length = embedding.detach().norm().clamp_min(torch.finfo(torch.float32).tiny)
    added = (features.detach() * gradient).double() / length.double()
    return as_grid(added, size, extra).cpu().numpy()
