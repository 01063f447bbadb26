"""Compute classification logits with an additive angular margin on the true class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .input_checks import check_dimension, check_label_range, check_rows
from .pairwise import unit_rows

# Keeps the square root's derivative finite at |cos| = 1; PaddleCV's value.
SINE_EPS = 1e-6


@MODELS.register_module()
class ArcMarginLinear(nn.Module):
    r"""Linear classifier on the sphere whose true class must win by an angle.

    With :math:`c = \cos \theta` between feature and class weight, :math:`s` the scale and
    :math:`\phi = c \cos m - \sin m \sqrt{1 - c^2 + 10^{-6}} \approx \cos(\theta + m)`, the logits
    are :math:`s c` for the other classes and for the true class

    - :math:`s \phi` if :math:`c > \cos(\pi - m)`, else :math:`s (c - m \sin(\pi - m))`;
    - with ``easy_margin``: :math:`s \phi` if :math:`c > 0`, else :math:`s c`.

    Without labels (test time) all logits are :math:`s c`. Feed the logits to cross-entropy. Zero
    features or weights have :math:`c = 0` (the reference divides by their norm).

    Args:
        in_features: Embedding dimension D.
        num_classes: Number of identities C.
        margin: Angle :math:`m` in radians, in [0, pi). Defaults to 0.15.
        scale: :math:`s`. Defaults to 80.
        easy_margin: Whether to leave angles beyond 90 degrees alone. Defaults to False.
        generator: Source of the Xavier-uniform weights. Defaults to torch's default generator.

    Attributes:
        weight: Parameter of shape (num_classes, in_features).

    References:
        J. Deng, J. Guo, N. Xue, S. Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face
        Recognition", CVPR 2019, https://arxiv.org/abs/1801.07698. Defaults, the 1e-6 and the
        Xavier-uniform weights are PaddleCV's.

    Example:
        >>> head = ArcMarginLinear(in_features=128, num_classes=751)
        >>> head(torch.randn(4, 128), torch.tensor([0, 1, 2, 3])).shape
        torch.Size([4, 751])
    """

    identity_state = ("weight",)  # see mmreid_ext.checkpoint.fine_tuning

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        margin: float = 0.15,
        scale: float = 80.0,
        easy_margin: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= margin < math.pi:
            raise UserError(f"ArcMarginLinear: margin={margin} must be an angle in [0, pi).")
        self.margin = margin
        self.scale = scale
        self.easy_margin = easy_margin
        self.weight = nn.Parameter(torch.empty(num_classes, in_features))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights from Xavier's uniform distribution, of variance 2 / (fan in + out)."""
        # U(-b, b) has variance b^2 / 3.
        bound = math.sqrt(6 / sum(self.weight.shape))
        self.weight.uniform_(-bound, bound, generator=generator)

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor | None = None) -> Tensor:
        """Compute the logits.

        Args:
            feats: Shape (B, in_features).
            pids: Labels in [0, num_classes), shape (B,); None for plain scaled cosines.

        Returns:
            Logits of shape (B, num_classes), at least float32.
        """
        num_classes, in_features = self.weight.shape
        labels = {} if pids is None else {"pids": pids}
        check_rows(self, feats, **labels)
        check_dimension(self, feats, in_features, "in_features")
        cosine = unit_rows(feats) @ unit_rows(self.weight.to(feats.dtype)).t()
        if pids is None:
            return self.scale * cosine
        check_label_range(self, pids, num_classes)
        index = pids.long()[:, None]
        return self.scale * cosine.scatter(1, index, self._with_margin(cosine.gather(1, index)))

    def _with_margin(self, cosine: Tensor) -> Tensor:
        """Widen the angle to the true class by the margin: cosine to cosine, any shape."""
        sine = (1 - cosine.square() + SINE_EPS).sqrt()
        phi = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        if self.easy_margin:
            return torch.where(cosine > 0, phi, cosine)
        # Beyond pi - m the angle would pass pi and phi rise again: continue with a straight line.
        lower = cosine - math.sin(math.pi - self.margin) * self.margin
        return torch.where(cosine > math.cos(math.pi - self.margin), phi, lower)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        num_classes, in_features = self.weight.shape
        return (
            f"in_features={in_features}, num_classes={num_classes}, margin={self.margin}, "
            f"scale={self.scale}, easy_margin={self.easy_margin}"
        )
