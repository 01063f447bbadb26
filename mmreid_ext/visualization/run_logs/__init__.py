"""Logged values of trainings: read from work folders, drawn as curves."""

from .curves import plot_runs
from .logged_values import RunLog, Series, read_run_log

__all__ = ["RunLog", "Series", "plot_runs", "read_run_log"]
