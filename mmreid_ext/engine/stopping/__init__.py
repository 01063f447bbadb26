"""Stop a training on request: all ranks after the same step, with a checkpoint."""
