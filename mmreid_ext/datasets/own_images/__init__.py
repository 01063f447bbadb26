"""Make a data set and a configuration of somebody's own pictures."""
