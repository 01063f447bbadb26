"""Styles of the domains."""

from helpers.synthetic_people import shots

from mmreid_ext.datasets.synthetic.style import BACKGROUNDS, WEATHERS, domain_style


def test_random_styles_are_valid_and_differ():
    styles = [domain_style(index, 0) for index in range(5, 15)]
    assert len({style.gain for style in styles}) == 10
    for style in styles:
        assert style.background in BACKGROUNDS and style.weather in WEATHERS
        assert all(0.5 < g < 1.6 for g in style.gain) and 0.5 <= style.contrast <= 1.2
    assert domain_style(7, 0) == styles[2] and domain_style(7, 1) != styles[2]
    assert shots(7, count=2).std() > 3
