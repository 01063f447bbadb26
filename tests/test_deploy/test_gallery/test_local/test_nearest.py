"""Lists of segments are merged exactly; ties come in order of id, also at the end of a list."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.galleries import expected, same_lists, vectors

from mmreid_ext.deploy.gallery.local.nearest import merged
from mmreid_ext.deploy.gallery.local.segment import Segment


def parts_of(codes, bounds, marks):
    parts = []
    for start, stop in zip(bounds, bounds[1:], strict=False):
        segment, none = Segment(codes.shape[1]), np.zeros(stop - start, dtype=np.int32)
        segment.add(codes[start:stop], np.arange(start, stop), none, none, none)
        parts.append((segment, None if marks is None else marks[start:stop]))
    return parts


@pytest.mark.parametrize("topk", [1, 2, 5, 17, 120, 500])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("copies", [1, 6, 60])
@pytest.mark.parametrize("bounds", [[0, 120], [0, 40, 41, 97, 120]])
def test_equals_brute_force(topk, masked, copies, bounds):
    codes = np.repeat(vectors(120 // copies, seed=copies).astype(np.float16), copies, axis=0)
    codes = codes[np.random.default_rng(topk).permutation(120)]
    marks = np.arange(120) % 3 > 0 if masked else None
    queries = vectors(5, seed=3)
    with ThreadPoolExecutor(2) as pool:
        found = merged(pool, parts_of(codes, bounds, marks), queries, topk)
    passes = np.broadcast_to(np.ones(120, bool) if marks is None else marks, (5, 120))
    assert same_lists(found, expected(queries, codes, np.arange(120), passes, topk))


def test_no_segments_and_no_queries():
    with ThreadPoolExecutor(1) as pool:
        assert merged(pool, [], vectors(2), 3) == [[], []]
        assert (
            merged(pool, parts_of(vectors(4).astype(np.float16), [0, 4], None), vectors(0), 3) == []
        )
