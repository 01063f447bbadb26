"""Show, store, read and compare the results of evaluations."""
