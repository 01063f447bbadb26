"""Slow and obvious ways to compute what the package computes."""
