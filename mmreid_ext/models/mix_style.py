"""Mix the feature statistics of images as augmentation: MixStyle.

Shapes: N images, C channels, W ranks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.distributed import Places, gather_with_grad, places_of_rows, sent_to
from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .run_state import RunState


@MODELS.register_module()
class MixStyle(RunState):
    r"""Give each image, in training, a mix of its own and another image's style.

    With instance means :math:`\mu` and standard deviations :math:`\sigma`, a partner j of every
    image i by a random permutation, and :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` of its
    own:

    .. math:: y_i = (\lambda \sigma_i + (1-\lambda) \sigma_j) \frac{x_i - \mu_i}{\sigma_i}
        + \lambda \mu_i + (1-\lambda) \mu_j

    Statistics carry no gradient, as in the paper. Partners come from the batches of all ranks, and
    all draws are a function of (``seed``, number of the training step, place in the batch of a
    single process), so the same global batch gives the same result on any number of ranks, and
    after a resume. The meta passes of MetaBIN mix with draws of their own, and are no steps.

    Args:
        prob: Probability of mixing a batch at all. Defaults to 0.5.
        alpha: Of the Beta distribution. Defaults to 0.1.
        seed: Two layers of one model should have different ones. Defaults to 0.
        eps: Added to variances. Defaults to 1e-6.

    Attributes:
        steps: Buffer, 0-d: training steps seen.

    Raises:
        ValueError: ``prob`` outside [0, 1] or ``alpha`` not positive.

    References:
        K. Zhou, Y. Yang, Y. Qiao, T. Xiang, "Domain Generalization with MixStyle", ICLR 2021,
        https://arxiv.org/abs/2104.02008.
    """

    steps: Tensor
    _steps: int  # the host's copy

    run_state = ("steps",)

    def __init__(
        self, prob: float = 0.5, alpha: float = 0.1, seed: int = 0, eps: float = 1e-6
    ) -> None:
        super().__init__()
        if not 0 <= prob <= 1:
            raise UserError(f"MixStyle: prob={prob} must be a number from 0 to 1.")
        if alpha <= 0:
            raise UserError(f"MixStyle: alpha={alpha} must be above 0.")
        self.prob, self.alpha, self.seed, self.eps = prob, alpha, seed, eps
        self.add_counters("steps")
        self._held_passes = 0  # since the last step; no state, for they end before the next one

    def forward(self, x: Tensor) -> Tensor:
        """Mix the styles of maps (N, C, H, W), with the same N on every rank.

        In evaluation nothing changes.
        """
        if not self.training:
            return x
        rng = np.random.default_rng(self._next_draw())
        if rng.random() >= self.prob:
            return x
        places = places_of_rows(len(x), x.device)
        num_images = len(places.order)
        draws = rng.permutation(num_images), rng.beta(self.alpha, self.alpha, num_images)
        partners, share = (sent_to(x.device, torch.from_numpy(draw)) for draw in draws)
        return self._mix(x, places, partners, share[places.own][:, None, None, None])

    def _next_draw(self) -> tuple[int, ...]:
        """Count this pass and return the seed of its draws."""
        if not self.remembers:
            self._held_passes += 1
            return self.seed, self._steps, self._held_passes
        self._held_passes = 0
        self._steps += 1
        self.write_counters()
        return self.seed, self._steps - 1

    def _mix(self, x: Tensor, places: Places, partners: Tensor, share: Tensor) -> Tensor:
        """Mix maps with those of ``partners`` (W * N,), places in the batch of one process.

        ``share`` (N, 1, 1, 1) is the part of an image's own style.
        """
        mean, std = self._style(x)
        rows = places.order[partners[places.own]]
        styles = gather_with_grad(torch.cat((mean, std), dim=1))  # of as many rows on every rank
        means, stds = styles.index_select(0, rows).chunk(2, 1)
        share = share.to(mean.dtype)
        mixed_std = share * std + (1 - share) * stds
        mixed_mean = share * mean + (1 - share) * means
        scale = mixed_std / std
        return (x * scale + (mixed_mean - mean * scale)).to(x.dtype)

    @torch.no_grad()
    def _style(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute instance means and standard deviations (N, C, 1, 1), at least float32."""
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        var, mean = torch.var_mean(x, dim=(2, 3), keepdim=True)
        return mean, (var + self.eps).sqrt()

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"prob={self.prob}, alpha={self.alpha}, seed={self.seed}"
