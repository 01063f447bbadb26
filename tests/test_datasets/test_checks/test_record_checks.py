import pytest
from helpers.no_match_causes import CAUSES

from mmreid_ext.datasets.checks import record_checks
from mmreid_ext.datasets.records import Count, image_table
from mmreid_ext.protocols import build_protocol


def make(*rows):
    return [dict(pid=pid, camid=camid, role=role) for pid, camid, role in rows]


def test_counts_are_compared_per_role_without_distractors():
    records = make((0, 0, "gallery"), (1, 0, "gallery"), (1, 1, "query"))
    published = dict(query=Count(1, 1), gallery=Count(2, 1))
    assert record_checks.count_message(records, published, {0}, "set") is None
    message = record_checks.count_message(records[1:], published, {0}, "set")
    assert "gallery has 1 images (published: 2)" in message and "query" not in message
    assert "gallery has 2 identities (published: 1)" in record_checks.count_message(
        records, published, (), "set"
    )


def test_unparsed_names_are_listed_and_counted():
    assert record_checks.unparsed_message([], "set") is None
    message = record_checks.unparsed_message([f"x{i}.jpg" for i in range(8)], "set")
    assert "8 file names" in message and "x0.jpg" in message and "and 3 more" in message
    assert "x5.jpg" not in message


def test_training_needs_two_identities():
    record_checks.require_train(make((1, 0, "train"), (2, 0, "train")), "set")
    with pytest.raises(ValueError, match="1 training images of 1 identities.*combine_all"):
        record_checks.require_train(make((1, 0, "train")), "set")


@pytest.mark.parametrize("role, missing", [("query", "gallery"), ("gallery", "query")])
def test_testing_needs_both_sides(role, missing):
    with pytest.raises(ValueError, match=f"no {missing} image"):
        record_checks.require_query_and_gallery(make((1, 0, role)), "set")


def messages(*rows, protocol="camera", distractors=()):
    records = [dict(r, dataset="set", img_path=f"{i}.jpg") for i, r in enumerate(make(*rows))]
    return record_checks.check_protocol(
        image_table(records, distractors), build_protocol(protocol), "set (folder)"
    )


def test_a_match_is_in_another_camera():
    rows = [(1, 0, "query"), (1, 0, "gallery"), (2, 0, "query"), (2, 1, "gallery")]
    (message,) = messages(*rows)
    assert "1 of 2 query images (1 identities: 1)" in message and "their own camera" in message
    assert messages(*rows, protocol="no_camera") == []


def test_a_camera_seen_twice_still_matches_in_the_other():
    assert messages((1, 0, "query"), (1, 0, "gallery"), (1, 3, "gallery")) == []


def test_without_cameras_the_identity_must_be_in_the_gallery():
    rows = [(1, -1, "query"), (1, -1, "gallery"), (3, -1, "query")]
    (message,) = messages(*rows, protocol="no_camera")
    assert "1 of 2 query images" in message


@pytest.mark.parametrize("name", CAUSES)
def test_no_valid_query_at_all_stops_and_names_the_true_cause(name):
    rows, lone, words = CAUSES[name]
    with pytest.raises(ValueError, match=rf"set \(folder\): nothing can be evaluated.*{words}"):
        messages(*rows, distractors={rows[i][0] for i in lone})


def test_unknown_cameras_are_counted():
    rows = [(1, 0, "query"), (1, 1, "gallery"), (1, -1, "gallery")]
    (message,) = messages(*rows)
    assert "1 of 3 images have no known camera" in message


def test_a_protocol_that_does_not_fit_is_a_warning():
    """The evaluation may be given another one; it refuses before features are extracted."""
    (message,) = messages((1, 0, "query"), (1, 1, "gallery"), protocol="viper")
    assert "defined on 632 identities" in message
