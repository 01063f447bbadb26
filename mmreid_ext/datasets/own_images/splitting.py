"""Divide people into training and test, and the pictures of the tested into queries and gallery."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmreid_ext.datasets.readers.ids import normalized, number_ids
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

from .listing import Listing, OwnImage

FEWEST_TO_TRAIN, FEWEST_TO_TEST = 2, 2
"""People: one alone can't be mistaken for anybody."""

_MOST_QUERIES = 10  # of one person without cameras: more of them add time and little knowledge


def require_clear_names(images: Sequence[OwnImage], where: str) -> None:
    """Check that two ways to write a name are not two people.

    Raises:
        UserError: If names differ in upper and lower case only, or one number has two spellings.
    """
    for what in ("person", "camera"):
        known = sorted({normalized(getattr(image, what)) for image in images} - {""})
        number_ids(known, f"{where}, {what}")
        alike = defaultdict(list)
        for name in known:
            alike[unicodedata.normalize("NFC", name.casefold())].append(name)
        double = next((names for names in alike.values() if len(names) > 1), None)
        if double:
            raise UserError(
                f"{where}: {' and '.join(map(repr, double))} differ in upper and lower case only; "
                f"they may be one {what} or two. Rename one of them."
            )


def split(found: Listing, test_share: float, seed: int) -> list[OwnImage]:
    """Give every picture its role.

    A table that says ``train``, ``query`` and ``gallery`` is followed. Otherwise whole people are
    drawn for the test, among those who can be asked for and found: with cameras, people seen by
    two; without, people with two pictures.

    Args:
        found: Its notes may grow.
        test_share: Share of the people to test on, from 0 (nobody) to below 1.
        seed: Seed of the draw.

    Returns:
        The pictures with ``split`` set to ``train``, ``query`` or ``gallery``.

    Raises:
        UserError: If too few people can be trained or tested on.
    """
    images = found.images
    by_person = group_people(images)
    given = {image.split for image in images}
    if given & {"train", "query", "gallery", "test"}:
        return _follow_table(found, by_person, seed)
    if test_share == 0:
        _require_people(len(by_person), 0)
        return [replace(image, split="train") for image in images]
    _require_people(len(by_person), FEWEST_TO_TEST)
    tested = _draw_people(found, by_person, test_share, seed)
    return _with_roles(images, by_person, set(tested), found.is_track, seed)


def group_people(images: Sequence[OwnImage]) -> dict[str, list[OwnImage]]:
    """Return the pictures of each person, people in sorted order."""
    groups = defaultdict(list)
    for image in images:
        groups[normalized(image.person)].append(image)
    return {name: groups[name] for name in sorted(groups)}


def asks_cameras(images: Sequence[OwnImage]) -> bool:
    """Return whether somebody was seen by two cameras, so that a test can ask across them."""
    groups = group_people(images).values()
    return any(len({image.camera for image in group} - {""}) > 1 for group in groups)


def _draw_people(
    found: Listing, by_person: dict[str, list[OwnImage]], test_share: float, seed: int
) -> list[str]:
    crossing = asks_cameras(found.images)
    able = [name for name, group in by_person.items() if _can_be_found(group, crossing)]
    if len(able) < FEWEST_TO_TEST and crossing:
        able = [name for name, group in by_person.items() if _can_be_found(group, False)]
    if len(able) < FEWEST_TO_TEST:
        raise UserError(
            f"{len(able)} of {len(by_person)} people have two pictures, and a test needs "
            f"{FEWEST_TO_TEST}: one picture asks, another one is to be found. Add pictures, "
            "or train on everybody without a test by --test-share 0."
        )
    most = len(by_person) - FEWEST_TO_TRAIN
    wanted = min(max(round(test_share * len(by_person)), FEWEST_TO_TEST), most)
    if wanted > len(able):
        found.notes.append(
            f"Only {len(able)} people can be tested on ("
            + ("seen by two cameras" if crossing else "with two pictures")
            + f"), not {wanted}."
        )
    order = np.random.default_rng(seed).permutation(len(able))[:wanted]
    return [able[place] for place in sorted(order.tolist())]


def _can_be_found(group: Sequence[OwnImage], crossing: bool) -> bool:
    return len({i.camera for i in group} - {""}) > 1 if crossing else len(group) > 1


def _require_people(people: int, tested: int) -> None:
    if people >= FEWEST_TO_TRAIN + tested:
        return
    if tested:
        advice = (
            "Add people; train on all of them without a test by --test-share 0; or use a model "
            "without training it, by tools/search.py."
        )
        raise UserError(
            f"People found: {people}, too few; training needs {FEWEST_TO_TRAIN}, and a test "
            f"{tested} others. {advice}"
        )
    raise UserError(
        f"People found: {people}, too few; training needs {FEWEST_TO_TRAIN}, to tell them apart. "
        "Add people, or use a model without training it, by tools/search.py."
    )


def _with_roles(
    images: Sequence[OwnImage],
    by_person: dict[str, list[OwnImage]],
    tested: set[str],
    is_track: bool,
    seed: int,
) -> list[OwnImage]:
    """Set roles; the order of the pictures stays."""
    queries = set()
    for number, (name, group) in enumerate(by_person.items()):
        if name in tested:
            rng = np.random.default_rng((seed, number))
            queries |= {id(image) for image in _queries(group, is_track, rng)}
    roles = {id(image): "query" if id(image) in queries else "gallery" for image in images}
    return [
        replace(i, split=roles[id(i)] if normalized(i.person) in tested else "train")
        for i in images
    ]


def _queries(group: Sequence[OwnImage], is_track: bool, rng: np.random.Generator) -> list[OwnImage]:
    """Choose who asks, so that every query has an answer.

    With cameras, each camera with two pictures gives one query and keeps the other; if none has
    two, one camera gives its only one. Without, half of the pictures ask; of a track, the first
    ones, since neighbours in time look alike.
    """
    by_camera = defaultdict(list)
    for image in group:
        by_camera[image.camera].append(image)
    known = [by_camera[camera] for camera in sorted(by_camera) if camera]
    if len(known) > 1:
        several = [images for images in known if len(images) > 1] or [known[0]]
        return [images[int(rng.integers(len(images)))] for images in several]
    count = min(len(group) // 2, _MOST_QUERIES)
    if not is_track:
        return [group[place] for place in rng.permutation(len(group))[:count]]
    ordered = sorted(group, key=lambda image: image.frame)
    places = np.linspace(0, len(group) // 2 - 1, count).round().astype(int)
    return [ordered[place] for place in places.tolist()]


def _follow_table(
    found: Listing, by_person: dict[str, list[OwnImage]], seed: int
) -> list[OwnImage]:
    """Use the roles of a table; those that it calls ``test`` become queries and gallery."""
    images = found.images
    blank = sum(not image.split for image in images)
    if blank:
        raise UserError(
            f"The table's column of the split is empty in {blank} of {len(images)} lines. Fill it "
            "everywhere, or leave the column out so that people are split for you."
        )
    both = [
        name
        for name, group in by_person.items()
        if len({"train" if image.split == "train" else "test" for image in group}) > 1
    ]
    if both:
        found.notes.append(
            f"{len(both)} people are in training and test ({shorten(both)}); scores on people who "
            "were trained on are higher than on others."
        )
    tests = [image for image in images if image.split == "test"]
    if not tests:
        return list(images)
    groups = group_people(tests)
    chosen = iter(_with_roles(tests, groups, set(groups), found.is_track, seed))
    return [next(chosen) if image.split == "test" else image for image in images]
