"""Findings have titles, levels and an order."""

from mmreid_ext.datasets.audit.findings import (
    KINDS,
    Finding,
    Group,
    collected,
    merged,
    notes,
)


def test_faults_stand_before_remarks():
    levels = [kind.level for kind in KINDS.values()]
    assert levels == sorted(levels)


def test_titles_count_in_words():
    def titles(kind):
        return [Finding(kind, (Group(()),) * number).title for number in (1, 2)]

    assert titles("unreadable") == ["1 picture that can't be read", "2 pictures that can't be read"]
    assert titles("one_image") == [
        "1 person with one training image",
        "2 people with one training image",
    ]
    assert titles("unanswered")[1] == "2 queries without an answer"
    assert titles("other_files")[1] == "2 files or places left out"


def test_findings_of_one_kind_are_joined_and_sorted():
    found = [*notes("repeated", ["a"]), *notes("missing", ["b"]), *notes("repeated", ["c"])]
    assert [(f.kind, [g.note for g in f.groups]) for f in merged(found)] == [
        ("missing", ["b"]),
        ("repeated", ["a", "c"]),
    ]
    assert [f.is_fault for f in merged(found)] == [True, False]


def test_nothing_found_is_no_finding():
    assert collected("missing", []) == notes("missing", []) == []
