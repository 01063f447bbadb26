"""The parts of tools/stress/fuzz.py: what is tried at random, and against what."""
