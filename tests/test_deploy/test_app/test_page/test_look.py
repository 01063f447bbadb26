"""Widths, sizes, contrast, labels and the keyboard alone."""

import pytest
from helpers.browser_page import CONTRAST, UNLABELLED
from helpers.fake_service import Row

TAB, ENTER, SPACE = "\ue004", "\ue007", "\ue00d"
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 4


def fill(page, service, person, photo=None):
    """Show as much as the page can at once."""
    service.rows += [
        Row(90, LONG, LONG, "2026-03-01T09:30:00Z", 0.6),
        Row(91, None, None, None, 0.1),
    ]
    page.driver.refresh()
    page.wait(lambda: LONG in page.people())
    page.choose(photo or person)
    if photo:
        page.click("add-box")
        page.click("search")
    page.wait(lambda: len(page.matches()) == 9)
    page.js("document.getElementById('filters').open = true")


@pytest.mark.parametrize("width", [320, 360, 390, 640, 768, 1024, 1280, 1600])
def test_nothing_is_wider_than_the_screen(page, service, person, photo, width):
    page.open(width, 800, touch=width < 700)
    fill(page, service, person, photo)
    service.trouble["/gallery"] = 500, {"detail": LONG * 3}
    page.driver.execute_script("document.getElementById('enrol-name').value = arguments[0]", LONG)
    wide = page.js(
        "return [...document.querySelectorAll('body *')].filter((node) =>"
        "  node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1"
        "  && !node.closest('.stage, .skip')).map((node) => node.outerHTML.slice(0, 90))"
    )
    assert wide == [] and page.js("return document.documentElement.scrollWidth <= innerWidth")
    service.trouble.clear()
    page.press(f"Delete {LONG}")
    page.wait(lambda: page.shown("confirm"))
    parts = "return ['confirm', 'confirm-title'].map((id) => document.getElementById(id))"
    assert page.js(f"{parts}.every((node) => node.scrollWidth <= node.clientWidth)")


def test_fingers_hit_what_they_aim_at(page, service, person, photo):
    page.open(390, 844, touch=True)
    fill(page, service, person, photo)
    small = page.js(
        "return [...document.querySelectorAll('button, select, summary, nav a, .button,"
        " input:not([type=file], [type=checkbox])')].filter((node) => node.checkVisibility())"
        ".filter((node) => node.getBoundingClientRect().height < 44).map((node) => node.outerHTML)"
    )
    assert small == []


@pytest.mark.parametrize("dark", [False, True])
def test_texts_stand_out(page, service, person, photo, dark):
    page.open(dark=dark)
    assert page.js(CONTRAST) == []
    fill(page, service, person, photo)
    page.fill("enrol-name", "")
    page.click("enrol-go")
    service.trouble["/search"] = 400, {"detail": "The box leaves the picture."}
    page.click("rerank")
    page.wait(lambda: page.shown("alert"))
    assert page.js("return document.querySelectorAll('.verdict').length") == 9
    assert page.js(CONTRAST) == []
    page.press("Delete anna")
    page.wait(lambda: page.shown("confirm"))
    assert page.js(CONTRAST) == []


def test_the_measure_of_contrast_finds_what_is_pale(page):
    page.js("document.getElementById('about').style.color = '#999'")
    assert [text for text, _ in page.js(CONTRAST)] == ["7 pictures of 2 people"]


def test_every_control_has_a_name(page, service, person, photo):
    fill(page, service, person, photo)
    assert page.js(UNLABELLED) == []
    page.js(
        "document.querySelector('label:has(#topk)').replaceWith(document.getElementById('topk'))"
    )
    assert page.js(UNLABELLED) == ["topk"]


def test_the_main_path_by_keyboard_alone(page, service, photo):
    page.choose(photo)  # the dialog of the system is not the page's
    page.js("document.activeElement.blur()")
    order = []
    while page.focused() != "add-box":
        page.keys(TAB)
        order.append(page.focused())
    assert order == ["Skip to the matches", "Picture", "choose", "add-box"] or order == [
        "Skip to the matches",
        "choose",
        "add-box",
    ]
    page.keys(SPACE)
    assert page.focused() == "box"
    page.keys("\ue012", ENTER)
    page.wait(lambda: len(page.matches()) == 7)
    seen = set()
    while page.focused() != "enrol-name":
        page.keys(TAB)
        seen.add(page.focused())
        assert page.js("return document.activeElement.matches(':focus-visible')"), page.focused()
        assert len(seen) < 60
    assert {"box-x", "search", "topk", "rate", "rerank", "Delete match 7, ben"} <= seen
    page.keys("zoe", ENTER)
    page.wait(lambda: "added" in page.text("enrol-said"))
    while page.focused() != "Delete zoe":
        page.keys(TAB)
    page.keys(ENTER)
    page.wait(lambda: page.shown("confirm"))
    page.keys(TAB, ENTER)
    page.wait(lambda: page.people() == ["anna", "ben"])


def test_on_a_phone_the_matches_come_into_view_once_asked_for(page, photo):
    page.open(390, 844, touch=True)
    page.choose(photo)
    top = "return document.getElementById('matches').getBoundingClientRect().top"
    assert page.js(top) > 590
    page.click("search")
    page.wait(lambda: page.js(top) < 100, "The scroll")
    assert page.text("nav-count") == "7"


def test_landmarks_and_headings(page):
    for tag in ("header", "main", "nav", "footer", "h1"):
        assert len(page.driver.find_elements("css selector", tag)) == 1, tag
    levels = page.js(
        "return [...document.querySelectorAll('main h2')].map((one) => one.textContent)"
    )
    assert levels == ["Who are you looking for?", "How to search", "Matches", "Enrol", "People"]


def test_who_wants_no_motion_gets_none(page):
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.cdp("Emulation.setEmulatedMedia", features=features)
    page.js("document.body.classList.add('busy')")
    assert (
        page.js(
            "return getComputedStyle(document.getElementById('matches'), '::before').animationName"
        )
        == "none"
    )
