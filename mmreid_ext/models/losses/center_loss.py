"""Pull features to the centres of their identities, and move the centres as the baseline does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from mmreid_ext.errors import UserError
from mmreid_ext.models.run_state import RunState
from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .input_checks import check_at_least_one, check_dimension, check_label_range, check_rows


@MODELS.register_module()
class CenterLoss(RunState):
    r"""Squared distance of every feature to the learnt centre of its identity.

    .. math:: L_c = \frac{1}{B} \sum_i |x_i - c_{y_i}|^2

    The reference code sums a clamped B x C matrix instead and so adds the constant
    :math:`(C-1) \cdot 10^{-12}`, dropped here; only B centres are touched. A class absent from the
    batch gets an exactly zero gradient. Like cross-entropy it is a mean over the local batch: with
    equal batches, averaging the gradients over ranks gives the global gradient.

    **Moving the centres.** The reference rule is plain SGD at a constant rate of 0.5 on the
    *unweighted* loss, :math:`c_j \leftarrow c_j - \frac{1}{B} \sum_{i: y_i = j} (c_j - x_i)`,
    while the features see the loss times its weight (5e-4). :meth:`sgd_step` applies it whatever
    the weight: the 0-d parameter ``factor`` (value 0, no part in the loss's value) receives as its
    gradient the product of all factors between this loss and ``backward``, and the step divides by
    it. Loss weight and loss scaling cancel, gradient accumulation and averaging over ranks pass
    through. Call :meth:`attach_to` once to tie the step to an optimiser. The other way,
    PaddleClas's, is an SGD optimiser over ``centers`` alone with rate 0.5 / weight.

    Args:
        num_classes: Number of identities C.
        feat_dim: Feature dimension D.
        generator: Source of the N(0, 1) initial centres. Defaults to torch's default generator.

    Attributes:
        centers: Parameter of shape (num_classes, feat_dim).
        factor: 0-d parameter that measures the factors on this loss.

    References:
        Y. Wen, K. Zhang, Z. Li, Y. Qiao, "A Discriminative Feature Learning Approach for Deep Face
        Recognition", ECCV 2016, https://doi.org/10.1007/978-3-319-46478-7_31; H. Luo et al., "Bag
        of Tricks and A Strong Baseline for Deep Person Re-identification", CVPRW 2019,
        https://arxiv.org/abs/1903.07071.

    Example:
        >>> center = CenterLoss(num_classes=751, feat_dim=2048)
        >>> optimizer = torch.optim.Adam(center.parameters(), lr=3.5e-4)
        >>> handle = center.attach_to(optimizer, lr=0.5)
    """

    identity_state = ("centers", "factor")

    def __init__(
        self,
        num_classes: int,
        feat_dim: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_at_least_one(self, num_classes=num_classes, feat_dim=feat_dim)
        self.centers = nn.Parameter(torch.empty(num_classes, feat_dim))
        self.factor = nn.Parameter(torch.zeros(()))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the centres from N(0, 1)."""
        self.centers.normal_(generator=generator)

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            feats: Shape (B, feat_dim).
            pids: Labels in [0, num_classes), shape (B,).

        Returns:
            0-d tensor, at least float32.
        """
        check_rows(self, feats, pids=pids)
        num_classes, feat_dim = self.centers.shape
        check_dimension(self, feats, feat_dim, "feat_dim")
        check_label_range(self, pids, num_classes)
        loss = (feats - self.centers.index_select(0, pids.long())).square().sum(dim=1).mean()
        return loss + (self.factor - self.factor.detach())

    @torch.no_grad()
    def sgd_step(self, lr: float = 0.5) -> None:
        """Move the centres by the gradient of the unweighted loss, then forget the gradients.

        Nothing happens without a gradient, or with one of total weight 0.

        Args:
            lr: Constant rate; 0.5 moves a centre by the K/B-th part of the way to the mean of its K
                features.
        """
        gradient, factor = self.centers.grad, self.factor.grad
        self.centers.grad = self.factor.grad = None
        if gradient is None or factor is None:
            return
        rate = torch.where(factor == 0, 0.0, lr / factor)
        self.centers.sub_(rate * gradient)

    def attach_to(self, optimizer: Optimizer, lr: float = 0.5) -> RemovableHandle:
        """Let each step of ``optimizer`` move the centres by :meth:`sgd_step`, not by its own rule.

        The optimiser owns the centres, so it zeroes their gradient; just before its step this hook
        moves them and removes the gradient, and an optimiser skips parameters without gradient: no
        momentum, no weight decay, no schedule for the centres. A step that a GradScaler skips is
        skipped for the centres, too. Clipping by the total norm counts the centres' gradient in the
        norm; the rate itself is not clipped, because that factor cancels like the others.

        Args:
            optimizer: One that holds ``centers`` in a parameter group.
            lr: Constant rate. Defaults to 0.5.

        Returns:
            Handle whose ``remove()`` undoes the attachment.

        Raises:
            ValueError: A parameter of this loss is not in ``optimizer``, or its steps are fused (a
                fused step finds overflows inside, after this hook has run).
        """
        own = set(self.parameters(recurse=False))
        if not own <= {p for group in optimizer.param_groups for p in group["params"]}:
            raise UserError(
                "CenterLoss.attach_to: the optimizer does not hold the centres; "
                "build it from parameters that include this loss "
                "(the module must be a child of the model)."
            )
        if any(group.get("fused") for group in optimizer.param_groups):
            raise UserError(
                "CenterLoss.attach_to: a fused optimizer cannot host the centres; "
                "build it with fused=False."
            )

        def move(*_: Any) -> None:
            self.sgd_step(lr)

        return optimizer.register_step_pre_hook(move)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        num_classes, feat_dim = self.centers.shape
        return f"num_classes={num_classes}, feat_dim={feat_dim}"
