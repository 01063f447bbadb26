"""Check a data set from a command line."""
