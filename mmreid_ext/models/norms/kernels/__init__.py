"""Four operations on the planes of a batch: its (n, c) slices of H x W values.

They are all that touches big tensors in our normalisation layers. ``generic`` works everywhere and
is what ``torch.compile`` fuses. On a CPU PyTorch's general reductions are several times slower than
its batch-norm kernels, so ``nchw`` and ``nhwc`` use those kernels instead. ``dispatch`` documents
the four operations and chooses.
"""

from .dispatch import combine, instance_moments, plane_sums, scale_shift
from .generic import stats_dtype

__all__ = ["combine", "instance_moments", "plane_sums", "scale_shift", "stats_dtype"]
