"""Overlays: grey where nothing is added, orange and purple where something is."""

import numpy as np

from mmreid_ext.visualization.similarity_maps import PairMaps, plot_similarity_maps
from mmreid_ext.visualization.similarity_maps.figure import overlay

IMAGE = np.full((8, 4, 3), (255, 0, 0), np.uint8)


def test_colours_of_an_overlay():
    values = np.zeros((2, 1))
    values[0], values[1] = 1, -1
    mixed = overlay(IMAGE, values, 2.0)
    assert mixed.shape == (8, 4, 3) and mixed.min() >= 0 and mixed.max() <= 1
    red, _, blue = mixed[0, 0]
    assert red > blue, "orange adds"
    red, _, blue = mixed[-1, 0]
    assert red < blue, "purple takes away"
    plain = overlay(IMAGE, np.zeros((2, 1)), 1.0)
    assert np.ptp(plain) == 0, "the image is grey, so that colours mean one thing"


def test_pictures_of_one_and_of_two(tmp_path):
    maps = PairMaps(0.5, np.ones((2, 1)) / 4, np.ones((2, 1)) / 2, (0.0, -0.5))
    two = plot_similarity_maps(maps, [IMAGE, IMAGE], ["a.jpg", "b.jpg"], tmp_path / "two.png")
    captions = [axes.get_xlabel() for axes in two.axes[:4]]
    assert captions == [
        "a.jpg",
        "+0.500 by places, +0.000 constant",
        "+1.000 by places, -0.500 constant",
        "b.jpg",
    ]
    one = plot_similarity_maps(maps, [IMAGE], ["x" * 99])
    assert len(one.axes) == 3 and len(one.axes[0].get_xlabel()) == 24
    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")
