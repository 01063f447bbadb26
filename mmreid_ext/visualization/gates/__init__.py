"""Gates of batch-instance norms: read from checkpoints and logs, drawn, written as numbers."""

from .figure import plot_gates
from .reading import Course, Gates, read_course, read_gates, read_logged_course

__all__ = ["Course", "Gates", "plot_gates", "read_course", "read_gates", "read_logged_course"]
