"""Read benchmarks and CSV files: one file per data set."""
