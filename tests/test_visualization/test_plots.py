from __future__ import annotations

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mmreid_ext.visualization import (
    PairHistogram,
    pair_histogram,
    plot_cmc,
    plot_distance_histogram,
    plot_roc,
    plot_tsne,
    rank_queries,
    save_ranked_list_png,
    tsne,
)
from mmreid_ext.visualization.embedding_map import number_people


def test_cmc_draws_the_given_values_in_percent(tmp_path):
    curves = {"plain": np.array([0.5, 0.75, 1.0]), "re-ranked": np.array([0.6, 0.9, 0.9])}
    figure = plot_cmc(curves, tmp_path / "new" / "cmc.png", max_rank=2)
    lines = figure.axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[50, 75], [60, 90]]
    assert [line.get_xdata().tolist() for line in lines] == [[1, 2], [1, 2]]
    # the curves stay apart without colours
    assert len({line.get_linestyle() for line in lines}) == 2
    assert Image.open(tmp_path / "new" / "cmc.png").size == (960, 660)


def test_roc_draws_the_given_values(tmp_path):
    figure = plot_roc({"a": (np.array([1e-3, 0.1, 1]), np.array([0.2, 0.6, 1]))})
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_lines()[0].get_ydata().tolist() == pytest.approx([20, 60, 100])


def test_curves_refuse_percent_and_nothing():
    with pytest.raises(ValueError, match="'a' must be .* fractions"):
        plot_cmc({"a": np.array([50.0, 90.0])})
    with pytest.raises(ValueError, match="no curve"):
        plot_roc({})
    with pytest.raises(ValueError, match=r"fpr has shape \(2,\), tpr \(3,\)"):
        plot_roc({"a": (np.zeros(2), np.zeros(3))})


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


def test_png_shows_the_worst_queries(people, tmp_path):
    ranked = rank_queries(*people.arrays, topk=4, rerank=True)
    paths = (people.query_paths, people.gallery_paths)
    figure = save_ranked_list_png(
        tmp_path / "r.png", ranked, *paths, image_root=people.root, limit=2, title="$5 & <b>"
    )
    axes = figure.axes[0]
    assert len(axes.images) == 2 * (1 + 2 * 4)
    texts = [text.get_text() for text in axes.texts]
    signs = [text for text in texts if text in "✓✗"]
    expected = np.concatenate([entry.matches[:2] for entry in ranked.lists], axis=1)
    assert signs == ["✓" if match else "✗" for match in expected.ravel()]
    assert f"{ranked.lists[0].distances[0, 0]:.3f}" in texts and "$5 & <b>" in texts
    # a frame's dash says it too, for those who don't tell green from red
    dashes = {patch.get_linestyle() for patch in axes.patches}
    assert len(dashes) >= 2
    with pytest.raises(ValueError, match="limit=0 must be at least 1"):
        save_ranked_list_png(tmp_path / "r.png", ranked, *paths, limit=0)
    with pytest.raises(ValueError, match="no suffix of a picture format"):
        save_ranked_list_png(tmp_path / "r.doc", ranked, *paths)


def test_tsne_is_seeded_and_ignores_the_global_generator():
    feats = np.random.default_rng(1).normal(size=(24, 8)).astype(np.float32)
    np.random.seed(3)
    one = tsne(feats, seed=5)
    np.random.seed(4)
    np.testing.assert_array_equal(one, tsne(feats, seed=5))
    # cosine: lengths don't count; a power of two, since rounding would grow to another map
    np.testing.assert_array_equal(one, tsne(feats * 4.0, seed=5))


def test_tsne_figure_by_identity_and_domain(tmp_path):
    generator = np.random.default_rng(0)
    pids = np.repeat([0, 1, 2, 3, 1, 2], 6)
    domains = np.repeat(["a", "b"], [24, 12])
    feats = generator.normal(size=(36, 8))
    figure = plot_tsne(feats, pids, domains, tmp_path / "t.png", num_identities=3, max_images=30)
    left, right = figure.axes
    assert sum(len(points.get_offsets()) for points in left.collections) == 30
    assert len(left.collections) == 1 + 3  # the grey rest, and three people
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["a", "b"]
    again = plot_tsne(feats, pids, domains, num_identities=3, max_images=30)
    for one, other in zip(left.collections, again.axes[0].collections, strict=True):
        np.testing.assert_array_equal(one.get_offsets(), other.get_offsets())
    with pytest.raises(ValueError, match="N at least 4"):
        plot_tsne(feats[:3], pids[:3])


def test_same_number_in_two_domains_is_two_people():
    pids, domains = np.array([1, 1, 2, 0, -1, 1]), np.array([0, 1, 1, 1, 0, 0])
    people = number_people(pids, domains)
    assert people[0] == people[5] and people[4] == -1 and people[3] >= 0, "0 is a person"
    people = number_people(pids, domains, distractors=pids == 0)
    assert people[3] == people[4] == -1, "unless the reader says that it isn't"
    assert len({*people[:3]}) == 3
    assert number_people(np.array([1, 1, 2])).tolist()[0] == number_people(np.array([1, 1, 2]))[1]


def test_pictures_leave_the_global_backend_alone():
    code = (
        "import matplotlib, sys; matplotlib.use('svg'); import mmreid_ext.visualization as v;"
        "v.plot_cmc({'a': [0.5, 1.0]}); assert matplotlib.get_backend() == 'svg';"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert matplotlib.get_backend()


def test_a_map_without_scikit_learn_names_it(monkeypatch):
    from mmreid_ext.errors import MissingPackageError
    from mmreid_ext.visualization.embedding_map import tsne

    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingPackageError, match="pip install scikit-learn"):
        tsne(np.eye(5))
