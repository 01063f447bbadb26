"""Names that a model doubts."""

import numpy as np

from mmreid_ext.datasets.audit.labels import find_doubtful
from mmreid_ext.datasets.audit.read_set import SourceSet
from mmreid_ext.datasets.audit.table import tabulate


def people(counts):
    pids = np.repeat(np.arange(len(counts)), counts)
    records = [
        dict(img_path=f"{k}.jpg", pid=int(pid), camid=0, role="train") for k, pid in enumerate(pids)
    ]
    return pids, tabulate([SourceSet("a", records, "a")])


def embeddings(directions, seed=0, noise=0.3):
    """One unit vector per picture, around axis ``directions``."""
    rng = np.random.default_rng(seed)
    feats = np.eye(16)[directions] + noise / 4 * rng.normal(size=(len(directions), 16))
    return (feats / np.linalg.norm(feats, axis=1, keepdims=True)).astype(np.float32)


def test_well_separated_people_raise_no_doubt():
    pids, table = people([5] * 8)
    assert find_doubtful(table, embeddings(pids), np.arange(40)) == []


def test_a_picture_under_a_wrong_name():
    pids, table = people([5] * 8)
    shown = pids.copy()
    shown[7] = 4  # a picture of person 1 shows person 4
    (finding,) = find_doubtful(table, embeddings(shown), np.arange(40))
    assert finding.kind == "far_from_own"
    (group,) = finding.groups
    assert group.rows == (7, 5, 6, 20, 21)
    assert group.note.startswith("1, cosine ") and "; 4, cosine 0." in group.note


def test_one_person_under_two_names():
    pids, table = people([5] * 8)
    shown = np.where(pids == 6, 2, pids)
    found = {f.kind: f for f in find_doubtful(table, embeddings(shown), np.arange(40))}
    assert set(found) == {"alike_people"}
    (group,) = found["alike_people"].groups
    assert group.rows == (10, 11, 30, 31) and group.note.startswith("2 and 6, cosine ")


def test_a_picture_does_not_speak_for_itself():
    """Of two pictures of a person, each would be near to a mean that it is half of."""
    _, table = people([2, 3])
    feats = np.eye(16, dtype=np.float32)[[0, 1, 2, 2, 2]]
    feats[1, [1, 2]] = 0.66, 0.75
    (finding,) = find_doubtful(table, feats, np.arange(5))
    assert finding.kind == "far_from_own" and finding.groups[0].rows[0] == 1


def test_a_single_picture_is_not_doubted():
    pids, table = people([5, 5, 1])
    shown = np.where(pids == 2, 0, pids)
    assert find_doubtful(table, embeddings(shown), np.arange(11)) == []


def test_rows_may_be_a_part_of_the_table():
    pids, table = people([5] * 8)
    rows = np.arange(40)[::-1][:30]
    shown = pids[rows].copy()
    shown[3] = 2
    (finding,) = find_doubtful(table, embeddings(shown), rows)
    assert finding.groups[0].rows[0] == rows[3]


def test_one_person_alone_can_be_compared_with_nobody():
    pids, table = people([5])
    assert find_doubtful(table, embeddings(pids), np.arange(5)) == []
