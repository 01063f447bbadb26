"""Show a training or a test: a quiet start, a progress line, the way on."""
