"""Write the checkpoints of a run: now, in the background, on a disk that fills up."""

from .now import save_now

__all__ = ["save_now"]
