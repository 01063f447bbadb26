"""Turn checkpoints of other programs into ours."""

from .convert import Conversion, convert_checkpoint

__all__ = ["Conversion", "convert_checkpoint"]
