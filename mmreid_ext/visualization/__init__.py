"""Pictures: ranked lists, distance histograms, CMC and ROC curves, t-SNE maps.

Plain functions on arrays; every plot returns its Matplotlib figure and saves it where a path is
given.
"""

from .curves import plot_cmc, plot_roc
from .distance_histogram import PairHistogram, pair_histogram, plot_distance_histogram
from .embedding_map import plot_tsne, tsne
from .rank_queries import rank_queries
from .ranked_list_html import save_ranked_list_html
from .ranked_list_png import save_ranked_list_png
from .ranked_lists import RankedList, RankedLists

__all__ = [
    "PairHistogram",
    "RankedList",
    "RankedLists",
    "pair_histogram",
    "plot_cmc",
    "plot_distance_histogram",
    "plot_roc",
    "plot_tsne",
    "rank_queries",
    "save_ranked_list_html",
    "save_ranked_list_png",
    "tsne",
]
