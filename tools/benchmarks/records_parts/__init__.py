"""Parts of `tools/benchmarks/gallery.py`: data, workers, kills, report."""
