"""Centre loss, with the centre update of the strong baseline."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from mmreid_ext.registry import MODELS

from .inputs import check_label_range, check_rows, in_full_precision


@MODELS.register_module()
class CenterLoss(nn.Module):
    r"""Squared distance of every feature to the learnt centre of its identity.

    .. math:: L_c = \frac{1}{B} \sum_i |x_i - c_{y_i}|^2

    The reference code sums a clamped B x C matrix instead and so adds the constant
    :math:`(C-1) \cdot 10^{-12}`, dropped here; only B centres are touched. A class absent from the
    batch gets an exactly zero gradient. Like cross-entropy it is a mean over the local batch: with
    equal batches, averaging the gradients over ranks gives the global gradient.

    **Weight.** ``forward`` returns ``loss_weight`` times :math:`L_c`. The features receive the
    gradient of that, but the centres receive the gradient of the *unweighted* :math:`L_c`, because
    the strong baseline divides their gradient by the weight before it moves them. The division is
    part of the graph, so it holds under loss scaling, gradient accumulation and averaging over
    ranks alike. Give the weight here, not as a factor outside.

    **Moving the centres.** The reference rule is plain SGD at a constant rate of 0.5,
    :math:`c_j \leftarrow c_j - \frac{1}{B} \sum_{i: y_i = j} (c_j - x_i)`. Either give ``centers``
    an SGD optimiser of their own, or leave them in the model's optimiser and call :meth:`attach_to`
    once, or call :meth:`sgd_step` by hand after gradients are unscaled and averaged.

    Args:
        num_classes: Number of identities C.
        feat_dim: Feature dimension D.
        loss_weight: Positive factor on the loss, 5e-4 in the strong baseline. Defaults to 1.
        generator: Source of the N(0, 1) initial centres. Defaults to torch's default generator.

    Attributes:
        centers: Parameter of shape (num_classes, feat_dim).

    References:
        Y. Wen, K. Zhang, Z. Li, Y. Qiao, "A Discriminative Feature Learning Approach for Deep Face
        Recognition", ECCV 2016, https://doi.org/10.1007/978-3-319-46478-7_31; H. Luo et al., "Bag
        of Tricks and A Strong Baseline for Deep Person Re-identification", CVPRW 2019,
        https://arxiv.org/abs/1903.07071.

    Example:
        >>> center = CenterLoss(num_classes=751, feat_dim=2048, loss_weight=5e-4)
        >>> optimizer = torch.optim.Adam(center.parameters(), lr=3.5e-4)
        >>> handle = center.attach_to(optimizer, lr=0.5)
    """

    def __init__(
        self,
        num_classes: int,
        feat_dim: int,
        loss_weight: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if num_classes < 1 or feat_dim < 1:
            raise ValueError(
                f"num_classes and feat_dim must be positive, got {num_classes} and {feat_dim}"
            )
        if not loss_weight > 0:
            raise ValueError(
                f"loss_weight must be positive, got {loss_weight}; remove the loss to switch it off"
            )
        self.loss_weight = loss_weight
        self.centers = nn.Parameter(torch.empty(num_classes, feat_dim))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the centres from N(0, 1)."""
        self.centers.normal_(generator=generator)

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Compute the weighted loss.

        Args:
            feats: Shape (B, feat_dim).
            pids: Labels in [0, num_classes), shape (B,).

        Returns:
            0-d tensor, at least float32.
        """
        check_rows(feats, pids=pids)
        num_classes, feat_dim = self.centers.shape
        if feats.shape[1] != feat_dim:
            raise ValueError(
                f"feats have dimension {feats.shape[1]}, the centres {feat_dim}; "
                f"build CenterLoss with feat_dim={feats.shape[1]}"
            )
        check_label_range(pids, num_classes)
        centers = self.centers.index_select(0, pids)
        if self.loss_weight != 1:
            fixed = centers.detach()
            centers = fixed + (centers - fixed) / self.loss_weight  # same value, rescaled gradient
        return self.loss_weight * (feats - centers).square().sum(dim=1).mean()

    @torch.no_grad()
    def sgd_step(self, lr: float = 0.5) -> None:
        """Move the centres against their gradient and forget it; nothing happens without one.

        Args:
            lr: Constant rate; 0.5 moves a centre by the K/B-th part of the way to the mean of its K
                features.
        """
        if self.centers.grad is not None:
            self.centers.sub_(self.centers.grad, alpha=lr)
            self.centers.grad = None

    def attach_to(self, optimizer: Optimizer, lr: float = 0.5) -> RemovableHandle:
        """Let each step of ``optimizer`` move the centres by :meth:`sgd_step`, not by its own rule.

        The optimiser owns the centres, hence zeroes and (with a GradScaler) unscales their
        gradient; just before its step this hook moves them and removes the gradient, and an
        optimiser skips parameters without gradient: no momentum, no weight decay, no schedule for
        the centres. Steps that a GradScaler skips are skipped for the centres, too. Clipping by
        the total norm sees the centres' gradient: give the centres their own optimiser if you need
        it.

        Args:
            optimizer: One that holds ``centers`` in a parameter group.
            lr: Constant rate. Defaults to 0.5.

        Returns:
            Handle whose ``remove()`` undoes the attachment.

        Raises:
            ValueError: ``centers`` is not in ``optimizer``, or its steps are fused (a fused step
                unscales inside, after this hook has run).
        """
        groups = [g for g in optimizer.param_groups if any(p is self.centers for p in g["params"])]
        if not groups:
            raise ValueError(
                "the optimizer does not hold the centres: build it from parameters that include "
                "this loss (the module must be a child of the model)"
            )
        if any(group.get("fused") for group in groups):
            raise ValueError("a fused optimizer cannot host the centres; build it with fused=False")

        def move(*_: Any) -> None:
            self.sgd_step(lr)

        return optimizer.register_step_pre_hook(move)

    def extra_repr(self) -> str:
        """Arguments, for ``print(model)``."""
        num_classes, feat_dim = self.centers.shape
        return f"num_classes={num_classes}, feat_dim={feat_dim}, loss_weight={self.loss_weight}"
