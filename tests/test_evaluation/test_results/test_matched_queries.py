import numpy as np
import pytest

from mmreid_ext.evaluation.results.matched_queries import matched_queries, query_weights

NAMES = ["/data/x/b.png", "/data/x/a.png", "/data/x/c.png"]


def entry(names=NAMES, pids=(1, 2, 3), gallery=None, num_gallery=9, protocol="camera", **queries):
    queries = dict(name=list(names), pid=list(pids), camid=[0] * len(names)) | queries
    data = None if gallery is None else dict(gallery=gallery)
    return dict(protocol=protocol, queries=queries, data=data, num_gallery=num_gallery)


def test_one_order_whatever_the_files_have():
    moved = entry(["d:/y/c.png", "d:/y/b.png", "d:/y/a.png"], [3, 1, 2])
    first, second = matched_queries("s", [entry(), moved])
    assert first.tolist() == [1, 0, 2] and second.tolist() == [2, 1, 0]


def test_unnamed_queries_keep_the_only_order_there_is():
    blank = entry(["", ""], [1, 1])
    assert [o.tolist() for o in matched_queries("s", [blank, blank])] == [[0, 1], [0, 1]]
    with pytest.raises(ValueError, match="no distinct names"):
        matched_queries("s", [entry(["", "", ""], [1, 1, 2]), entry(["", "", ""], [2, 1, 1])])


@pytest.mark.parametrize(
    "other, text",
    [
        (entry(protocol="sop"), "different protocols: .*'camera', 'sop'"),
        (entry(pids=(1, 2, 4)), "same queries.*3 queries; not in all of them: 'c.png'"),
        (entry(NAMES[:2], (1, 2)), "3 against 2 queries"),
        (entry(num_gallery=8), "same gallery.*9 against 8 images"),
    ],
)
def test_other_data_are_refused(other, text):
    with pytest.raises(ValueError, match=text):
        matched_queries("s", [entry(), other])


def test_people_have_their_names_and_unknown_cameras_none():
    one, two = entry(), entry(pids=(1, 2, 4), pid_names={"4": "lea"})
    for query in (one, two):
        query["queries"]["camid"] = [-1, -1, -1]
    two["queries"]["name"][2] = "/data/x/d.png"
    one["queries"]["pid_names"] = {"3": "tom"}
    with pytest.raises(ValueError, match="not in all of them: '.\\.png' of identity tom\\)"):
        matched_queries("s", [one, two])


def test_galleries_are_known_by_their_fingerprints():
    one, two = (entry(gallery=dict(sha256=key, images=9)) for key in "ab")
    matched_queries("s", [one, one])
    with pytest.raises(ValueError, match="9 images, but not the same ones"):
        matched_queries("s", [one, two])


def test_weights_follow_the_order():
    weighted = entry(weight=[0.5, 0.25, 0.25])
    order = [np.array([1, 0, 2])] * 2
    assert query_weights("s", [weighted, weighted], order).tolist() == [0.25, 0.5, 0.25]
    assert query_weights("s", [entry(), entry()], order) is None
    with pytest.raises(ValueError, match="different random splits"):
        query_weights("s", [weighted, entry(weight=[0.25, 0.5, 0.25])], order)
