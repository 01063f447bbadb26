"""Go on from a checkpoint exactly where the run was interrupted, or stop and say why."""
