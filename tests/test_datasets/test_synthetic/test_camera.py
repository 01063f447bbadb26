"""Pictures of a camera."""

import numpy as np
from helpers.synthetic_people import shots, someone

from mmreid_ext.datasets.synthetic.camera import Camera
from mmreid_ext.datasets.synthetic.style import domain_style


def test_domains_differ_in_colour_and_contrast_and_the_fifth_lies_outside():
    means, stds = [], []
    for domain in range(5):
        images = shots(domain).astype(float)
        means.append(images.mean((0, 1, 2)))
        stds.append(images.std((1, 2)).mean())
    blue_red = [m[0] / m[2] for m in means]
    assert blue_red[4] > 1.3 * max(blue_red[:4])
    assert means[4].mean() < 0.8 * min(m.mean() for m in means[:4])
    assert stds[4] < min(stds[:4])
    gaps = [np.abs(a - b).max() for i, a in enumerate(means) for b in means[i + 1 :]]
    assert min(gaps) > 8, "two domains look alike"


def test_background_tells_nothing_about_the_identity():
    """Without a person the crops of a camera are drawn alike for everybody."""
    style = domain_style(0, 0)
    camera = Camera(style, 0, (0, 0, 2, 0), (128, 64))
    corners = []
    for pid in (1, 2):
        rng = np.random.default_rng(7)
        corners.append([camera.shoot(someone(pid), rng)[:6, :6].astype(float) for _ in range(10)])
    assert np.abs(np.array(corners[0]) - np.array(corners[1])).mean() < 4
