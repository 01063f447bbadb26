"""Deletion: asked, done, said; and where the focus goes."""

import pytest
from helpers.fake_service import Row

ESCAPE, TAB, ENTER = "\ue00c", "\ue004", "\ue007"


@pytest.fixture
def found(page, person):
    page.choose(person)
    page.wait(lambda: len(page.matches()) == 7)
    return page


def ask(page, label):
    page.press(label)
    page.wait(lambda: page.shown("confirm"), "The question")


def deletions(service):
    return [path for path, _ in service.asked if path.startswith(("/person", "/image"))]


def test_a_person_goes_after_the_question(found, service):
    ask(found, "Delete anna")
    assert found.text("confirm-title") == "Delete anna?"
    question = found.text("confirm-text")
    assert question.startswith("4 pictures of anna leave the gallery") and "be undone" in question
    assert found.text("confirm-yes") == "Delete 4 pictures"
    found.click("confirm-yes")
    found.wait(lambda: found.text("status") == "4 pictures of anna deleted.")
    assert found.shown("status") and deletions(service) == ["/person/anna"]
    assert found.people() == ["ben"] and "anna" not in found.names()
    assert found.focused() == "people"


@pytest.mark.parametrize("leave", ["confirm-no", ESCAPE])
def test_who_cancels_deletes_nothing_and_is_where_he_was(found, service, leave):
    ask(found, "Delete anna")
    assert found.focused() == "confirm-no"
    if leave == ESCAPE:
        found.keys(ESCAPE)
    else:
        found.click(leave)
    found.wait(lambda: not found.shown("confirm"))
    assert found.focused() == "Delete anna"
    assert deletions(service) == [] and len(service.rows) == 7


def test_the_focus_stays_in_the_dialog(found):
    ask(found, "Delete anna")
    inside = "return document.activeElement.matches('body, #confirm *')"
    for _ in range(5):
        found.keys(TAB)
        assert found.js(inside)


def test_the_number_is_that_of_now(found, service):
    service.rows.append(Row(99, "ben", None, None, 0.2))
    ask(found, "Delete ben")
    assert found.text("confirm-yes") == "Delete 3 pictures"


def test_somebody_who_is_gone_already(found, service):
    service.rows = [row for row in service.rows if row.identity != "ben"]
    found.press("Delete ben")
    found.wait(lambda: found.text("status") == "ben is no longer in the gallery.")
    assert not found.shown("confirm") and found.people() == ["anna"]


def test_one_picture(found, service):
    ask(found, "Delete match 5, no name")
    assert "One picture of nobody named, camera gate, 5 Mar 2026" in found.text("confirm-text")
    found.keys(TAB, ENTER)
    found.wait(lambda: found.text("status") == "1 picture deleted.")
    assert deletions(service) == ["/image/14"] and len(found.matches()) == 6
    assert found.focused() == "matches"


@pytest.mark.parametrize("name", ["a/b", "50 % & more?#", "../up", "Zoë 李"])
def test_any_name_can_be_deleted(page, service, name):
    service.rows = [Row(1, name, None, None, 0.9), Row(2, "other", None, None, 0.8)]
    page.open()
    ask(page, f"Delete {name}")
    page.click("confirm-yes")
    page.wait(lambda: page.people() == ["other"])
    assert deletions(service) == [f"/person/{name}"]


def test_trouble_is_told_and_nothing_is_gone(found, service):
    service.trouble["/person"] = 403, {"detail": "The gallery is read-only."}
    ask(found, "Delete anna")
    found.click("confirm-yes")
    found.wait(lambda: found.text("alert-text") == "The gallery is read-only.")
    assert found.people() == ["anna", "ben"]
    service.trouble.clear()
    ask(found, "Delete anna")  # another attempt isn't blocked


def test_people_are_found_by_a_part_of_the_name(page, service):
    service.rows = [Row(number, f"Person {number}", None, None, 0.5) for number in range(130)]
    page.open()
    assert len(page.people()) == 100 and page.text("people-note").startswith("100 of 130")
    page.fill("find", "ON 12")
    assert page.people() == ["Person 12", *(f"Person 12{digit}" for digit in range(10))]
    page.fill("find", "nobody")
    assert page.text("people-note") == "Nobody of that name."


def test_what_somebody_else_deleted_first_is_gone_all_the_same(found, service):
    ask(found, "Delete match 2, anna")
    service.rows = [row for row in service.rows if row.id != 11]
    service.trouble["/image"] = 404, {"detail": "There is no picture 11 in the gallery."}
    found.click("confirm-yes")
    found.wait(lambda: "no picture 11" in found.text("status"))
    assert len(found.matches()) == 6 and not found.shown("alert")


def test_a_gallery_that_takes_no_changes_offers_none(page, service, person):
    service.can_write = False
    page.open(390, 844)
    page.choose(person)
    page.wait(lambda: len(page.matches()) == 7)
    assert page.text("about") == "7 pictures of 2 people, to be searched only"
    shown = (
        "return [...document.querySelectorAll(arguments[0])].some((one) => one.checkVisibility())"
    )
    assert not page.js(shown, "#enrol, .erase, nav [href='#enrol']")
    assert page.js(shown, ".acts button")
