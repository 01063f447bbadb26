"""Image records as columns: arrays, which take little memory and are shared with workers."""
