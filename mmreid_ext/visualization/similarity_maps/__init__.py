"""Maps of what in two images makes their embeddings similar."""

from .contributions import PairMaps, similarity_maps
from .figure import plot_similarity_maps

__all__ = ["PairMaps", "plot_similarity_maps", "similarity_maps"]
