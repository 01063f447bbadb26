from collections import Counter
from pathlib import Path

import pytest

from mmreid_ext.datasets.own_images.listing import Listing, OwnImage
from mmreid_ext.datasets.own_images.splitting import (
    asks_cameras,
    group_people,
    require_clear_names,
    split,
)
from mmreid_ext.errors import UserError


def people(counts, cameras=("",), **options):
    """Pictures of people a, b, ...: ``counts`` of each, cameras in turn."""
    images = [
        OwnImage(Path(f"{chr(97 + p)}{n}.jpg"), chr(97 + p), cameras[n % len(cameras)], frame=n)
        for p, count in enumerate(counts)
        for n in range(count)
    ]
    return Listing("folders", "", images, **options)


def roles(images):
    return Counter(image.split for image in images)


def every_query_has_an_answer(images, with_cameras):
    for group in group_people(images).values():
        gallery = [i for i in group if i.split == "gallery"]
        for query in (i for i in group if i.split == "query"):
            if not any(i.camera != query.camera or not with_cameras for i in gallery):
                return False
    return True


@pytest.mark.parametrize("count", [2, 3, 5, 30])
@pytest.mark.parametrize("cameras", [("",), ("x", "y"), ("x", "y", "z"), ("x", "x", "y")])
def test_every_query_has_an_answer(count, cameras):
    if count == 2 and cameras[0] == cameras[-2:][0]:
        cameras = ("x", "y")
    images = split(people([count] * 10, cameras), 0.3, 0)
    by_person = group_people(images)
    assert sum(group[0].split == "train" for group in by_person.values()) == 7
    assert all(len({i.split == "train" for i in group}) == 1 for group in by_person.values())
    assert roles(images)["query"] >= 3 and every_query_has_an_answer(images, len(cameras) > 1)


def test_a_camera_asks_once_and_keeps_a_picture():
    images = split(people([6] * 4, ("x", "y", "z")), 0.5, 0)
    tested = [i for i in images if i.split != "train"]
    assert (
        Counter((i.person, i.camera) for i in tested if i.split == "query").most_common(1)[0][1]
        == 1
    )
    assert roles(images) == {"train": 12, "query": 6, "gallery": 6}


def test_half_of_the_pictures_ask_without_cameras_but_not_too_many():
    assert roles(split(people([5] * 4), 0.5, 0)) == {"train": 10, "query": 4, "gallery": 6}
    assert roles(split(people([90] * 4), 0.5, 0))["query"] == 20


def test_the_first_half_of_a_track_asks():
    images = split(people([40] * 4, is_track=True), 0.5, 0)
    assert max(i.frame for i in images if i.split == "query") == 19
    assert roles(images)["query"] == 20


def test_the_split_depends_on_the_seed_alone():
    found = people([5] * 30)
    tested = [
        {i.person for i in split(found, 0.3, seed) if i.split != "train"} for seed in (0, 0, 1)
    ]
    assert tested[0] == tested[1] != tested[2]


def test_people_with_one_picture_are_trained_on():
    images = split(people([1, 1, 1, 4, 4, 1]), 0.9, 0)
    assert {i.person for i in images if i.split != "train"} == {"d", "e"}


def test_people_of_one_camera_are_trained_on():
    found = people([4] * 6, ("x",))
    found.images = [
        OwnImage(i.path, i.person, "y" if i.frame and i.person in "ab" else "x")
        for i in found.images
    ]
    images = split(found, 0.5, 0)
    assert {i.person for i in images if i.split != "train"} == {"a", "b"}
    assert found.notes == ["Only 2 people can be tested on (seen by two cameras), not 3."]
    assert asks_cameras(images)


def test_cameras_that_share_nobody_are_no_rule_of_the_test():
    images = split(people([4] * 6, ("x",)), 0.5, 0)
    assert roles(images)["query"] == 6 and not asks_cameras(images)


@pytest.mark.parametrize(
    "counts, share, message",
    [
        (
            [5, 5],
            0.3,
            "found: 2, too few; training needs 2, and a test 2 others.*--test-share 0",
        ),
        ([5], 0, "found: 1, too few; training needs 2, to tell"),
        ([1, 1, 1, 1, 5], 0.3, "1 of 5 people have two pictures.*--test-share 0"),
    ],
)
def test_too_few_people(counts, share, message):
    with pytest.raises(UserError, match=message):
        split(people(counts), share, 0)


def test_nobody_is_tested_if_that_is_asked_for():
    assert roles(split(people([5, 5]), 0, 0)) == {"train": 10}


def with_splits(*splits):
    images = [OwnImage(Path(f"{n}.jpg"), "abc"[n // 4], split=s) for n, s in enumerate(splits)]
    return Listing("table", "", images)


def test_the_split_of_a_table_is_followed():
    given = ["train"] * 4 + ["query", "gallery", "gallery", "gallery"]
    assert [i.split for i in split(with_splits(*given), 0.3, 0)] == given


def test_test_pictures_of_a_table_become_queries_and_gallery():
    images = split(with_splits(*["train"] * 4, *["test"] * 8), 0.3, 0)
    assert roles(images) == {"train": 4, "query": 4, "gallery": 4}
    assert every_query_has_an_answer(images, False)


def test_a_table_that_says_half_is_refused_and_leaks_are_told():
    with pytest.raises(UserError, match="empty in 1 of 5 lines"):
        split(with_splits("train", "train", "train", "train", ""), 0.3, 0)
    found = with_splits("train", "train", "test", "test")
    split(found, 0.3, 0)
    assert "1 people are in training and test (a)" in found.notes[0]


@pytest.mark.parametrize(
    "names, message",
    [(("Lea", "lea"), "differ in upper and lower case only"), (("7", "007"), "'007' and '7'")],
)
def test_two_ways_to_write_a_name(names, message):
    images = [OwnImage(Path("a.jpg"), name) for name in names]
    with pytest.raises(UserError, match=message):
        require_clear_names(images, "photos")


def test_one_name_in_two_forms_of_unicode_is_one_person():
    images = [OwnImage(Path("a.jpg"), name) for name in ("Zoe\u0308", "Zo\u00eb")]
    require_clear_names(images, "photos")
    assert list(group_people(images)) == ["Zo\u00eb"]
