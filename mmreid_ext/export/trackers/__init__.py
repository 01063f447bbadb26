"""Export for trackers: the file, name and side-car that each needs, and what its resize costs."""

from .fitting import fit_plan
from .table import TRACKERS, Tracker

__all__ = ["TRACKERS", "Tracker", "fit_plan"]
