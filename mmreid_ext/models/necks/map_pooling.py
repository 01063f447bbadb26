"""Pool one map, or those of several stages, to features."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from mmreid_ext.errors import UserError


class MapPooling(nn.Module, ABC):
    """Base of the pooling necks, called as MMPretrain calls its own."""

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        """Pool maps.

        Args:
            inputs: A map (N, C, H, W), or a tuple of them, one per stage.

        Returns:
            Features (N, C), or a tuple of them.

        Raises:
            ValueError: If an input is no map.
        """
        if isinstance(inputs, tuple):
            return tuple(self._checked(x) for x in inputs)
        return self._checked(inputs)

    def _checked(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise UserError(
                f"{type(self).__name__}: inputs have shape {tuple(x.shape)}, "
                "but must be maps (N, C, H, W); "
                "a backbone that returns vectors needs no neck (neck=None)."
            )
        return self.pool(x)

    @abstractmethod
    def pool(self, x: Tensor) -> Tensor:
        """Pool a map (N, C, H, W) to features (N, C)."""
