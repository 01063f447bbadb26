"""Pictures that differ by little more than their encoding."""

import numpy as np
import pytest
from helpers.drawn_shop import found
from PIL import Image

from mmreid_ext.datasets.audit import near_pictures


def changed(path, size=(80, 160)):
    return Image.open(path).resize(size)


@pytest.mark.parametrize("size", [(64, 128), (80, 160), (48, 96)])
def test_a_saved_copy_of_another_person(shop, size):
    name = shop.path("train").name
    shop.add("copy.jpg", changed(shop.path("train"), size), "joe", "1", "train")
    assert found(shop.audit()) == {"near_two_people": [[name, "copy.jpg"]]}


@pytest.mark.parametrize("same_person", [True, False])
def test_a_saved_copy_in_the_test_set(shop, same_person):
    name = shop.path("train").name
    person = shop.person("train") if same_person else shop.person("gallery")
    shop.add("copy.jpg", changed(shop.path("train")), person, "9", "gallery")
    kinds = found(shop.audit())
    assert kinds.pop("near_train_and_test") == [[name, "copy.jpg"]]
    assert set(kinds) == ({"people_in_both"} if same_person else set())


def test_copies_of_one_person_are_left_alone(shop):
    shop.add("copy.jpg", changed(shop.path("train")), shop.person("train"), "1", "train")
    assert found(shop.audit()) == {}


def test_pictures_that_only_look_alike_from_afar_are_not_named(shop):
    darker = Image.open(shop.path("train")).point(lambda value: value * 3 // 4)
    shop.add("darker.jpg", darker, "joe", "1", "train")
    assert found(shop.audit()) == {}


def test_blank_pictures_are_not_compared(shop):
    for number in range(3):
        picture = Image.new("RGB", (64, 128), (number, 9, 9))
        shop.add(f"{number}.png", picture, shop.person("train", 5 * number), "1", "train")
    assert list(found(shop.audit())) == ["blank"]


def test_candidates_agree_with_comparing_all_pairs(monkeypatch):
    """Seven bits of 128 touch seven of eight bands at most, so that one band agrees."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (400, 2), dtype=np.int64).view(np.uint64)
    for row in range(200, 400):
        for bit in rng.choice(128, rng.integers(0, 12), replace=False):
            place = int(bit) // 64
            hashes[row, place] = hashes[row - 200, place] ^ np.uint64(1 << (int(bit) % 64))
    monkeypatch.setattr(near_pictures, "_of_interest", lambda table, a, b: np.ones(len(a), bool))
    rows = np.arange(400)
    got = near_pictures._candidates(None, hashes, rows)
    bits = np.array(
        [
            [bin(int(p[0] ^ q[0])).count("1") + bin(int(p[1] ^ q[1])).count("1") for q in hashes]
            for p in hashes
        ]
    )
    expected = {(a, b) for a in rows.tolist() for b in range(a + 1, 400) if bits[a, b] <= 7}
    assert set(got) == expected and len(expected) > 100
    assert [bits[pair] for pair in got] == sorted(bits[pair] for pair in got)
