"""Compute cross-entropy with the two label smoothings of re-identification."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .input_checks import check_label_range, check_rows


@MODELS.register_module()
class LabelSmoothingLoss(nn.Module):
    r"""Identity loss: cross-entropy against a smoothed target.

    .. math:: L = -\frac{1}{B} \sum_i \sum_c q_{ic} \log \mathrm{softmax}(z_i)_c

    Two targets are in use; with C classes they give

    - ``spread='all'`` (strong baseline): :math:`1 - \epsilon + \epsilon/C` for the true class,
      :math:`\epsilon/C` for each other one;
    - ``spread='others'`` (MetaBIN, FastReID): :math:`1 - \epsilon` for the true class,
      :math:`\epsilon/(C-1)` for each other one.

    FastReID divides by the number of samples whose loss is not zero; for :math:`\epsilon > 0` every
    sample's loss is positive, so that is the plain mean used here. The loss is a mean over the
    local batch: with equal batches the ranks' mean is the global mean.

    Args:
        epsilon: Probability taken from the true class, in [0, 1); 0 is plain cross-entropy.
            Defaults to 0.1.
        spread: Which classes share ``epsilon``. Defaults to ``'all'``.

    Raises:
        ValueError: ``epsilon`` or ``spread`` out of range.

    References:
        C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
        https://arxiv.org/abs/1512.00567; H. Luo et al., "Bag of Tricks and A Strong Baseline for
        Deep Person Re-identification", CVPRW 2019, https://arxiv.org/abs/1903.07071.

    Example:
        >>> id_loss = LabelSmoothingLoss(epsilon=0.1, spread='others')
        >>> id_loss(torch.randn(4, 751), torch.tensor([0, 1, 2, 750])).ndim
        0
    """

    def __init__(self, epsilon: float = 0.1, spread: str = "all") -> None:
        super().__init__()
        if not 0 <= epsilon < 1:
            raise UserError(f"LabelSmoothingLoss: epsilon={epsilon} must lie in [0, 1).")
        if spread not in ("all", "others"):
            raise UserError(f"LabelSmoothingLoss: spread={spread!r} must be 'all' or 'others'.")
        self.epsilon = epsilon
        self.spread = spread

    @in_full_precision
    def forward(self, logits: Tensor, pids: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: Shape (B, C).
            pids: Labels in [0, C), shape (B,).

        Returns:
            0-d tensor, at least float32.
        """
        check_rows(self, logits, "logits", pids=pids)
        num_classes = logits.shape[1]
        check_label_range(self, pids, num_classes)
        epsilon = self.epsilon
        if self.spread == "others" and num_classes > 1:
            # Spreading C/(C-1) times as much over all classes leaves the others epsilon together.
            epsilon = epsilon * num_classes / (num_classes - 1)
            if epsilon > 1:
                raise UserError(
                    f"LabelSmoothingLoss: epsilon={self.epsilon} with {num_classes} classes "
                    "makes the true class less likely than the others; "
                    f"use at most {(num_classes - 1) / num_classes:.3f}."
                )
        return F.cross_entropy(logits, pids.long(), label_smoothing=epsilon)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"epsilon={self.epsilon}, spread={self.spread!r}"
