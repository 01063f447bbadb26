"""Measure what a lower precision costs, on labelled images."""
