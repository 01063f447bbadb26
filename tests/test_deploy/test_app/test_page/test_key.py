"""The key of the service: asked for, tried, kept in this tab only."""

import pytest

KEY = "s3cret-Key"
KEPT = "return [sessionStorage.length, localStorage.length, document.cookie]"


@pytest.fixture
def locked(page, service):
    service.key = KEY
    page.open()
    page.wait(lambda: page.shown("key-dialog"), "The question for the key")
    yield page
    page.js("sessionStorage.clear()")


def give(page, key):
    page.fill("key", key)
    page.keys("\ue007")


def test_asked_once_and_used_from_then_on(locked, person):
    assert locked.focused() == "key" and locked.one("key").get_attribute("type") == "password"
    give(locked, KEY)
    locked.wait(lambda: locked.text("about") == "7 pictures of 2 people")
    locked.choose(person)
    locked.wait(lambda: len(locked.matches()) == 7)
    assert locked.js(KEPT) == [1, 0, ""]
    assert KEY not in locked.js("return document.documentElement.outerHTML")
    locked.driver.refresh()
    locked.wait(lambda: locked.text("about") == "7 pictures of 2 people")
    assert not locked.shown("key-dialog")


def test_thumbnails_come_with_the_key(locked, person):
    give(locked, KEY)
    locked.wait(lambda: "7 pictures" in locked.text("about"))
    locked.choose(person)
    widths = "return [...document.querySelectorAll('.card img')].map((one) => one.naturalWidth)"
    locked.wait(lambda: locked.js(widths) == [64] * 7, "The thumbnails")


def test_a_wrong_key_is_asked_again(locked):
    give(locked, "wrong")
    locked.wait(lambda: locked.text("key-wrong") == "The service doesn't take this key.")
    give(locked, KEY)
    locked.wait(lambda: "7 pictures" in locked.text("about"))


@pytest.mark.parametrize(
    ("key", "words"), [("", "Type the key"), ("schlüssel", "English keyboard"), ("a b", "English")]
)
def test_what_can_be_no_key_isnt_sent(locked, service, key, words):
    give(locked, key)
    locked.wait(lambda: words in locked.text("key-wrong"))
    assert locked.shown("key-dialog") and locked.js(KEPT)[0] == 0


def test_cancelled_it_is_said_and_can_be_given_later(locked):
    locked.click("key-no")
    locked.wait(lambda: "only with a key" in locked.text("alert-text"))
    locked.click("alert-again")
    locked.wait(lambda: locked.shown("key-dialog"))
    give(locked, KEY)
    locked.wait(lambda: "7 pictures" in locked.text("about"))


def test_forgotten_on_demand(locked):
    give(locked, KEY)
    locked.wait(lambda: locked.shown("forget-key"))
    locked.click("forget-key")
    locked.wait(lambda: locked.shown("key-dialog"))
    assert locked.js(KEPT)[0] == 0


def test_a_key_that_changes_is_asked_for_and_the_search_goes_on(page, service, person):
    service.key = "new"
    page.choose(person)
    page.wait(lambda: page.shown("key-dialog"))
    give(page, "new")
    page.wait(lambda: len(page.matches()) == 7)
