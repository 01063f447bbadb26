"""Parts of ``tools/stress/hostile.py``: what a stranger may send, where it goes, what it may do."""
