"""Embed folders of any size: shared out over ranks, continued after an interruption."""
