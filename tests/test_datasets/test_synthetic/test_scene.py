"""Backgrounds and weather."""

import dataclasses

import pytest
from helpers.synthetic_people import shots

from mmreid_ext.datasets.synthetic.style import BACKGROUNDS, WEATHERS, domain_style


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("weather", WEATHERS)
def test_every_background_and_weather_can_be_drawn(background, weather):
    style = dataclasses.replace(domain_style(0, 0), background=background, weather=weather)
    assert shots(0, count=1, style=style).std() > 10
