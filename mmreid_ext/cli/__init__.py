"""Shared parts of the command lines. Importing them loads no torch: ``--help`` stays quick."""
