"""What the stress tools share: small runs, their processes, what they leave, reports."""
