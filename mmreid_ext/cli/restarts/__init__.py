"""Start ranks, pass on requests to stop, and start them again where that helps."""
