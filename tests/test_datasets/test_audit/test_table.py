"""Records of several sets in columns."""

from mmreid_ext.datasets.audit.read_set import SourceSet
from mmreid_ext.datasets.audit.table import tabulate


def record(pid, role="train", **more):
    return dict(img_path=f"{pid}.jpg", pid=pid, camid=0, role=role, **more)


def test_people_of_one_numbering_are_one_and_of_two_are_two():
    one = SourceSet("a", [record(1), record(1, "query")], "list a")
    same = SourceSet("b", [record(1, "gallery")], "list a")
    other = SourceSet("c", [record(1)], "list c")
    table = tabulate([one, same, other])
    assert table.people.tolist() == [0, 0, 0, 1] and table.names == ["1", "1"]
    assert table.sets.tolist() == [0, 0, 1, 2]
    assert table.is_train.tolist() == [True, False, False, True]
    assert table.is_test.tolist() == [False, True, True, False]
    assert table.files == [None] * 4


def test_test_people_that_are_numbered_apart_are_others():
    records = [record(1), record(1, "query"), record(1, "gallery")]
    table = tabulate([SourceSet("a", records, "a", numbered_apart=True)])
    assert table.people.tolist() == [0, 1, 1]


def test_distractors_are_nobody_and_names_are_those_given():
    records = [record(0, "gallery"), record(5, pid_name="lea")]
    table = tabulate([SourceSet("a", records, "a", distractor_pids=frozenset([0]))])
    assert table.people.tolist() == [-1, 0]
    assert [table.person(row) for row in (0, 1)] == ["nobody", "lea"]
