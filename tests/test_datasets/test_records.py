import pytest

from mmreid_ext.datasets.records import (
    RecordTable,
    cut_identities,
    select_test,
    select_train,
    set_domains,
    set_labels,
)


def make(*rows):
    return RecordTable.of(dict(pid=pid, camid=camid, role=role) for pid, camid, role in rows)


RECORDS = make(
    (9, 4, "train"), (2, 1, "train"), (9, 1, "train"), (5, 0, "gallery"), (0, 0, "gallery"),
    (7, 0, "query"), (5, 1, "query"), (7, 1, "gallery"),
)  # fmt: skip


def pids(records):
    return [record["pid"] for record in records]


def test_training_takes_train_images_or_all_but_distractors():
    assert pids(select_train(RECORDS, False, {0})) == [9, 2, 9]
    combined = select_train(RECORDS, True, {0})
    assert pids(combined) == [9, 2, 9, 5, 7, 5, 7]
    assert {record["role"] for record in combined} == {"train"}
    assert RECORDS[3]["role"] == "gallery"  # the reader's records are not changed


def test_testing_lists_queries_first():
    roles = [(r["pid"], r["role"]) for r in select_test(RECORDS)]
    assert roles == [(7, "query"), (5, "query"), (5, "gallery"), (0, "gallery"), (7, "gallery")]


def test_first_identities_in_numeric_order():
    train = select_train(RECORDS, False, ())
    assert pids(cut_identities(train, None, 1, "set")) == [2]
    test = select_test(RECORDS)
    cut = cut_identities(test, None, 1, "set")
    assert [(r["pid"], r["role"]) for r in cut] == [(5, "query"), (5, "gallery")]
    assert pids(cut_identities(test, [7], None, "set")) == [7, 7]
    assert pids(cut_identities(test, [5, 7], 1, "set")) == [5, 5]


def test_impossible_cuts_say_so():
    with pytest.raises(ValueError, match="max_identities=4, but set has 2 identities"):
        cut_identities(select_test(RECORDS), None, 4, "set")
    with pytest.raises(ValueError, match=r"no identities 0, 3 "):
        cut_identities(select_test(RECORDS), [3, 0, 5], None, "set")


def test_labels_ascend_with_the_identity_whatever_the_order():
    records = make((30, 0, "train"), (4, 0, "train"), (30, 1, "train"), (100, 0, "train"))
    assert set_labels(records) == 3
    assert [r["gt_label"] for r in records] == [1, 0, 1, 2]


def test_domains_of_dataset_cameras_and_records():
    records = make((1, 5, "train"), (1, 2, "train"), (2, 5, "train"))
    assert set_domains(records, "dataset", "set") == 1
    assert [r["domain"] for r in records] == [0, 0, 0]
    assert set_domains(records, "camera", "set") == 2
    assert [r["domain"] for r in records] == [1, 0, 1]
    records.put("domain", (7, 3, 3))
    assert set_domains(records, "record", "set") == 2
    assert [r["domain"] for r in records] == [1, 0, 0]


def test_domains_need_what_they_are_made_from():
    with pytest.raises(ValueError, match="without 'camid'"):
        set_domains(make((1, 0, "train"), (2, -1, "train")), "camera", "set")
    with pytest.raises(ValueError, match="without 'domain'"):
        set_domains(make((1, 0, "train")), "record", "set")
    with pytest.raises(ValueError, match="got 'cameras'"):
        set_domains(make(), "cameras", "set")
