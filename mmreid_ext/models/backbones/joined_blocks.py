"""Let the two branches of residual blocks share their messages to other ranks.

A block that changes the shape has a norm at the end of either branch, and neither waits for the
other. In backward, too, both start from the same gradient.
"""

from __future__ import annotations

from typing import Any

from mmpretrain.models.backbones.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn

from mmreid_ext.models.norms import normalize_together, share_messages


class JoinedBasicBlock(BasicBlock):
    """MMPretrain's block of small ResNets; what it computes stays the same."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, C, H, W) of the block."""
        if not _shares(self, self.norm2):
            return super().forward(x)
        out = self.conv2(self.relu(self.norm1(self.conv1(x))))
        return _sum_branches(self, x, out, self.norm2)


class JoinedBottleneck(Bottleneck):
    """MMPretrain's block of large ResNets; what it computes stays the same."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, C, H, W) of the block."""
        if not _shares(self, self.norm3):
            return super().forward(x)
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.conv3(self.relu(self.norm2(self.conv2(out))))
        return _sum_branches(self, x, out, self.norm3)


def _shares(block: Any, norm: nn.Module) -> bool:
    # A checkpointed block runs its forward pass twice.
    return not block.with_cp and share_messages(norm, block.downsample[-1])


def _sum_branches(block: Any, x: Tensor, out: Tensor, norm: nn.Module) -> Tensor:
    *before, other_norm = block.downsample
    for layer in before:
        x = layer(x)
    out, identity = normalize_together((norm, other_norm), (out, x))
    out = block.drop_path(out)
    out += identity
    return block.relu(out)


_JOINED: dict[type, Any] = {BasicBlock: JoinedBasicBlock, Bottleneck: JoinedBottleneck}


def join_branches(backbone: nn.Module) -> None:
    """Make MMPretrain's residual blocks with a shortcut convolution share their messages.

    Blocks of other classes, also derived ones, stay as they are.

    Args:
        backbone: Changed in place; names and values of weights are not.
    """
    for block in backbone.modules():
        joined = _JOINED.get(type(block))
        if joined is not None and isinstance(block.downsample, nn.Sequential):
            block.__class__ = joined
