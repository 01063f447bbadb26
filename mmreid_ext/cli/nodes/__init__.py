"""Ranks on one machine or several: they meet, compare what they run, and watch one another.

``joining`` starts the process group, after ``meeting`` has compared the ranks. ``watch`` notices a
rank that is gone, and ``losing`` ends the others.
"""
