"""People and pictures of synthetic domains."""

import numpy as np

from mmreid_ext.datasets.synthetic.camera import Camera
from mmreid_ext.datasets.synthetic.pedestrian import Pedestrian, make_pedestrian
from mmreid_ext.datasets.synthetic.style import DomainStyle, domain_style


def someone(pid: int, domain: int = 0) -> Pedestrian:
    return make_pedestrian(np.random.default_rng((0, domain, 1, pid)), domain_style(domain, 0))


def shots(domain: int, pid: int = 1, count: int = 40, style: DomainStyle | None = None):
    """Pictures (count, 128, 64, 3) of one person by the first camera of a domain."""
    style = style or domain_style(domain, 0)
    camera = Camera(style, 0, (0, domain, 2, 0), (128, 64))
    rng = np.random.default_rng(5)
    return np.stack([camera.shoot(someone(pid, domain), rng) for _ in range(count)])
