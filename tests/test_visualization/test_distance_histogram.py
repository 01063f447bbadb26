"""Histograms of distances against a plain loop over pairs."""

import numpy as np
import pytest

from mmreid_ext.visualization import PairHistogram, pair_histogram, plot_distance_histogram


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_histogram_counts_every_pair_once(people, monkeypatch, distance):
    monkeypatch.setattr("mmreid_ext.visualization.pair_blocks._BLOCK_PAIRS", 100)
    query, gallery, query_pids, gallery_pids, query_camids, gallery_camids = people.arrays
    histogram = pair_histogram(*people.arrays, distance=distance, bins=50)
    true, false = [], []
    for row in range(len(query)):
        for column in range(len(gallery)):
            if gallery_pids[column] == -1:
                continue
            x, y = query[row].astype(float), gallery[column].astype(float)
            value = np.linalg.norm(x - y)
            if distance == "cosine":
                value = 1 - x @ y / np.linalg.norm(x) / np.linalg.norm(y)
            same = query_pids[row] == gallery_pids[column]
            if same and query_camids[row] == gallery_camids[column]:
                continue
            (true if same else false).append(value)
    assert (histogram.true.sum(), histogram.false.sum()) == (len(true), len(false))
    for counts, values in ((histogram.true, true), (histogram.false, false)):
        expected = np.histogram(values, histogram.edges)[0]
        # a pair within float32 rounding of an edge may change its bin
        assert np.abs(counts - expected).sum() <= 2


def test_overlap_is_zero_when_apart_and_one_when_alike():
    edges, left, right = np.arange(3.0), np.array([5, 0]), np.array([0, 70])
    assert PairHistogram(edges, left, right, "cosine distance").overlap == 0
    assert PairHistogram(edges, left, 3 * left, "cosine distance").overlap == 1


def test_histogram_figure_has_unit_areas(people):
    histogram = pair_histogram(*people.arrays)
    steps = plot_distance_histogram(histogram).axes[0].patches[1::2]
    for step in steps:
        values, edges = step.get_data().values, step.get_data().edges
        assert (values * np.diff(edges)).sum() == pytest.approx(1)


def test_no_pair_at_all_is_refused():
    nothing = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match="no pair to draw"):
        plot_distance_histogram(PairHistogram(np.arange(3.0), nothing, nothing, "cosine distance"))
