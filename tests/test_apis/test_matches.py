"""Lists of a search get the paths of their images."""

import numpy as np
import torch

from mmreid_ext.apis.inputs import Embedded
from mmreid_ext.apis.matches import Match, matches_of
from mmreid_ext.apis.search import Nearest


def test_matches_have_the_places_and_paths_of_the_gallery():
    found = Nearest(np.array([[2, 0], [1, 2]]), np.array([[0.9, 0.8], [0.7, 0.6]]))
    gallery = Embedded(torch.zeros(3, 1), ["a.jpg", None, "c.jpg"], np.array([0, 4, 5]))
    assert matches_of(found, gallery) == [
        [Match(5, "c.jpg", 0.9), Match(0, "a.jpg", 0.8)],
        [Match(4, None, 0.7), Match(5, "c.jpg", 0.6)],
    ]
    assert matches_of(Nearest(np.zeros((2, 0), int), np.zeros((2, 0))), gallery) == [[], []]
