import pytest

from mmreid_ext.datasets import checks


def make(*rows):
    return [dict(pid=pid, camid=camid, role=role) for pid, camid, role in rows]


def test_counts_are_compared_per_role_without_distractors():
    records = make((0, 0, "gallery"), (1, 0, "gallery"), (1, 1, "query"))
    published = dict(query=checks.Count(1, 1), gallery=checks.Count(2, 1))
    assert checks.count_message(records, published, {0}, "set") is None
    message = checks.count_message(records[1:], published, {0}, "set")
    assert "gallery has 1 images (published: 2)" in message and "query" not in message
    assert "gallery has 2 identities (published: 1)" in checks.count_message(
        records, published, (), "set"
    )


def test_unparsed_names_are_listed_and_counted():
    assert checks.unparsed_message([], "set") is None
    message = checks.unparsed_message([f"x{i}.jpg" for i in range(8)], "set")
    assert "8 file names" in message and "x0.jpg" in message and "and 3 more" in message
    assert "x5.jpg" not in message


def test_training_needs_two_identities():
    checks.require_train(make((1, 0, "train"), (2, 0, "train")), "set")
    with pytest.raises(ValueError, match="1 training images of 1 identities.*combine_all"):
        checks.require_train(make((1, 0, "train")), "set")


@pytest.mark.parametrize("role, missing", [("query", "gallery"), ("gallery", "query")])
def test_testing_needs_both_sides(role, missing):
    with pytest.raises(ValueError, match=f"no {missing} image"):
        checks.require_query_and_gallery(make((1, 0, role)), "set")


def test_a_match_is_in_another_camera():
    records = make((1, 0, "query"), (1, 0, "gallery"), (2, 0, "query"), (2, 1, "gallery"))
    message = checks.match_message(records, True, "set")
    assert "1 of 2 query images (1 identities: 1)" in message and "another camera" in message
    assert checks.match_message(records, False, "set") is None


def test_a_camera_seen_twice_still_matches_in_the_other():
    records = make((1, 0, "query"), (1, 0, "gallery"), (1, 3, "gallery"))
    assert checks.match_message(records, True, "set") is None


def test_without_cameras_the_identity_must_be_in_the_gallery():
    records = make((1, -1, "query"), (1, -1, "gallery"), (3, -1, "query"))
    assert "1 of 2 query images" in checks.match_message(records, False, "set")


def test_no_valid_query_at_all_stops_and_names_the_remedy():
    records = make((1, 0, "query"), (1, 0, "gallery"), (2, 0, "query"), (2, 0, "gallery"))
    with pytest.raises(ValueError, match="2 of 2 query images.*No camera labels. Set the camids"):
        checks.match_message(records, True, "set")
