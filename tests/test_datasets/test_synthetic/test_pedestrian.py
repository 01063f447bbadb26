"""People are functions of their generators, dressed as their domain dresses."""

import dataclasses

import numpy as np
from helpers.synthetic_people import someone

from mmreid_ext.datasets.synthetic.pedestrian import make_pedestrian
from mmreid_ext.datasets.synthetic.style import domain_style


def test_the_same_generator_gives_the_same_person():
    one, again, other = someone(3), someone(3), someone(4)
    assert one.upper == again.upper and np.array_equal(one.fabric, again.fabric)
    assert (one.skin, one.hair, one.upper, one.lower) != (other.skin, other.hair, other.upper, 0)


def test_colours_stay_clear_of_the_canvas_of_the_drawing():
    """(1, 2, 3) means that nothing is drawn there."""
    for pid in range(50):
        person = someone(pid)
        for color in (person.skin, person.upper, person.lower, person.shoes, person.bag_color):
            assert len(color) == 3 and all(type(c) is int and 8 <= c <= 247 for c in color)
        assert person.fabric.shape == person.fabric_front.shape == (256, 128, 3)
        assert person.fabric.min() >= 8


def test_winter_has_more_long_sleeves_than_summer():
    def share(warm):
        style = dataclasses.replace(domain_style(0, 0), warm_clothes=warm)
        people = [make_pedestrian(np.random.default_rng(i), style) for i in range(200)]
        return np.mean([person.long_sleeves for person in people])

    assert share(1.0) > share(0.0) + 0.2
