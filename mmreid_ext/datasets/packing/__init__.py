"""Training images on their way to the device, where their augmentations run."""
