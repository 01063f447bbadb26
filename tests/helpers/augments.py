"""Pictures and draws for tests of augmentations."""

import cv2
import numpy as np
import torch

from mmreid_ext.augmentation.pending import PendingAugments


def pictures(count, height=64, width=32):
    """Smooth coloured blobs with a little noise, (N, H, W, 3) uint8."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 8, 4, 3), dtype=np.uint8)
    smooth = [cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in coarse]
    noise = rng.integers(-6, 7, (count, height, width, 3))
    return (np.array(smooth) + noise).clip(0, 255).astype(np.uint8)


def draws(augment, count, height=64, width=32, first=0):
    """The rows of ``count`` seeds, (N, K)."""
    keys = np.arange(first, first + count).astype(np.uint64) * np.uint64(7919)
    return augment.draw(keys, height, width)


def both_ways(augment, images, rows):
    """Change images by OpenCV one by one, and by PyTorch as a batch; both (N, H, W, 3), int."""
    pending = PendingAugments((augment,), torch.from_numpy(rows))
    host = np.array(list(pending.on_host(images))).astype(int)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)
    return host, pending.on_device(batch, pending.rows).permute(0, 2, 3, 1).numpy().astype(int)
