"""Several runs of one configuration: settings of a grid, seeds of each, side by side or in turn."""
