"""Ranked lists as data: what every query finds, for other programs."""
