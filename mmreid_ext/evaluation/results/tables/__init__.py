"""Tables of results beside that of the metrics."""
