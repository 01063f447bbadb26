"""Ways of people through a video."""

import numpy as np
import pytest

from mmreid_ext.datasets.synthetic.walkers import make_walker

SIZE = 360, 640


@pytest.fixture(scope="module")
def crowd():
    return [make_walker(np.random.default_rng(seed), 300, SIZE) for seed in range(40)]


def absences(walker):
    """Lengths of the times between two visits."""
    inside = ~np.isnan(walker.x)
    edges = np.flatnonzero(np.diff(inside.astype(int)))
    leaves = edges[inside[edges]]
    back = edges[~inside[edges]]
    return [int(back[back > one][0] - one) for one in leaves if (back > one).any()]


def test_people_leave_and_come_back(crowd):
    away = [length for walker in crowd for length in absences(walker)]
    assert len(away) > 40 and min(away) >= 12 and max(away) <= 45
    assert sum(bool(absences(walker)) for walker in crowd) > 30
    assert 10 < sum(not np.isnan(walker.x[0]) for walker in crowd) < 32


def test_they_move_steadily_where_they_look(crowd):
    for walker in crowd:
        step = np.diff(walker.x)
        moving = ~np.isnan(step) & (walker.direction[1:] == walker.direction[:-1])
        assert (np.sign(step[moving]) == walker.direction[1:][moving]).all()
        assert np.abs(step[moving]).max() <= 0.17 * walker.height / 2 + 1e-6
        assert ((walker.phase >= 0) & (walker.phase < 1)).all()


def test_who_comes_back_comes_where_they_left(crowd):
    checked = 0
    for walker in crowd:
        inside = np.flatnonzero(~np.isnan(walker.x))
        for before, after in zip(inside[:-1], inside[1:], strict=True):
            if after - before > 1:
                middle = SIZE[1] / 2
                assert (walker.x[before] > middle) == (walker.x[after] > middle)
                assert walker.direction[before] == -walker.direction[after]
                checked += 1
    assert checked > 40


def test_some_turn_round_and_ways_cross(crowd):
    turns = [np.abs(np.diff(w.direction))[~np.isnan(np.diff(w.x))].sum() // 2 for w in crowd]
    assert sum(turns) > 10
    order = [np.sign(a.x - b.x) for a in crowd[:12] for b in crowd[:12] if a is not b]
    crossed = sum(int((np.abs(np.diff(one)) == 2).any()) for one in order)
    assert crossed > 60, "they never pass one another"


def test_the_box_stands_on_the_ground(crowd):
    walker = crowd[0]
    frame = int(np.flatnonzero(~np.isnan(walker.x))[0])
    x, y, w, h = walker.box(frame)
    assert h == walker.height and w == h / 2
    assert x + w / 2 == pytest.approx(walker.x[frame]) and y + h == pytest.approx(walker.feet)
