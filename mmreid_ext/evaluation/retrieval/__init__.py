"""Rank arrays of embeddings: metrics of one ranking, exactly and in little memory.

Plain PyTorch and NumPy: no data set, no protocol, no file, no registry.
"""
