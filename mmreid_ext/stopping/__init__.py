"""Requests to stop a run, attempts of a restarted run, and times; the standard library only."""
