"""Change the graph of an exported file, and look at what it holds."""
