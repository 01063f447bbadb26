"""People in two places, alone, under two spellings; queries without an answer."""

from helpers.drawn_shop import found, notes
from PIL import Image


def turned(shop, number=0, angle=90):
    """A picture like no other."""
    return Image.open(shop.path("query", number)).rotate(angle)


def test_one_person_to_train_on_and_to_test(shop):
    shop.add("other.jpg", turned(shop), shop.person("train"), "1", "gallery")
    report = shop.audit()
    assert list(found(report)) == ["people_in_both"]
    assert notes(report, "people_in_both") == ["ann: 4 training and 1 test pictures"]


def test_one_training_image(shop):
    shop.add("alone.jpg", turned(shop), "sam", "1", "train")
    assert found(shop.audit()) == {"one_image": [["alone.jpg"]]}


def test_names_in_two_spellings(shop):
    for number, name in enumerate(("Ann ", "ann", "a.n_n", "ANN")):
        shop.add(f"{number}.jpg", turned(shop, number), name, "1", "train")
        shop.add(f"{number}_.jpg", turned(shop, number, 270), name, "1", "train")
    report = shop.audit()
    assert list(found(report)) == ["alike_names"]
    assert notes(report, "alike_names") == ["'ann' and 'Ann' and 'a.n_n' and 'ANN'"]


def test_numbers_are_no_spellings_of_one_another(shop):
    shop.rows = [
        [path, str(number // 4 + 1), *rest] for number, (path, _, *rest) in enumerate(shop.rows)
    ]
    assert "alike_names" not in found(shop.audit())


def test_queries_without_an_answer(shop):
    shop.add("q.jpg", turned(shop), "sam", "1", "query")
    assert found(shop.audit()) == {"unanswered": [["q.jpg"]]}


def test_a_test_set_without_any_answer_is_a_fault(shop):
    shop.rows = [[*row[:2], "1", row[3]] for row in shop.rows]
    report = shop.audit()
    assert len(found(report)["unanswered"]) == 8
    assert notes(report, "unusable_part") == ["shop: no query has an answer"]
