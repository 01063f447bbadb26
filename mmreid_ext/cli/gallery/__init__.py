"""Add, find, delete and move pictures: the parts of `tools/gallery.py`."""
