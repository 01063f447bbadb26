"""t-SNE maps: seeds, subsets, colours, and who is a person."""

import sys

import numpy as np
import pytest

from mmreid_ext.errors import MissingPackageError
from mmreid_ext.visualization import plot_tsne, tsne
from mmreid_ext.visualization.embedding_map import number_people


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


def test_a_map_without_scikit_learn_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingPackageError, match="pip install scikit-learn"):
        tsne(np.eye(5))
