"""Protocols of single benchmarks that are more than roles and cameras."""
