"""Four operations on the planes of a batch: its (n, c) slices of H x W values.

They are all that touches big tensors in our normalisation layers. ``generic`` works everywhere and
is what ``torch.compile`` fuses; on a CPU, where PyTorch's general reductions are several times
slower than its batch-norm kernels, ``nchw`` and ``nhwc`` put those kernels to use.
"""

from .dispatch import combine, instance_moments, plane_sums, scale_shift
from .precision import stats_dtype

__all__ = ["combine", "instance_moments", "plane_sums", "scale_shift", "stats_dtype"]
