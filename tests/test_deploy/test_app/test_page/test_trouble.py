"""What the page says when something is wrong, and names that try to be more than names."""

import pytest
from helpers.fake_service import Row

HOSTILE = [
    "<img src=x onerror=window.hit=1>",
    "<script>window.hit=1</script>",
    '"><svg onload=window.hit=1>',
    "javascript:window.hit=1",
    "\u202egnp.exe",
    "مُحمد \u2067العلي",
    "W" * 3000,
    "line\nbreak\ttab",
    "👩🏽‍🚀 Zoë",
]


@pytest.mark.parametrize(
    ("status", "body", "words", "again"),
    [
        (400, {"detail": "The box leaves the picture."}, "The box leaves the picture.", False),
        (413, "<html>too large</html>", "The picture is too big for the service.", False),
        (422, {"detail": [{"loc": ["body", "topk"], "msg": "too many"}]}, "topk: too many", False),
        (503, {"detail": "Busy, ask again."}, "Busy, ask again.", True),
        (502, "<html>Bad gateway</html>", "status 502 and no reason", True),
        (200, "<html>a login page</html>", "isn't JSON", False),
    ],
)
def test_the_sentence_of_the_service_is_shown(page, service, person, status, body, words, again):
    service.trouble["/search"] = status, body
    page.choose(person)
    page.wait(lambda: words in page.text("alert-text"), words)
    assert page.one("alert").get_attribute("role") == "alert"
    assert page.shown("alert-again") == again and page.text("search") == "Search"
    service.trouble.clear()
    page.click("alert-again" if again else "search")
    page.wait(lambda: len(page.matches()) == 7)
    assert not page.shown("alert")


def test_a_service_that_is_away(page, person):
    page.cdp("Network.enable")
    away = dict(offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    page.cdp("Network.emulateNetworkConditions", **away)
    try:
        page.wait(lambda: "no network" in page.text("alert-text"))
        page.choose(person)
        page.wait(lambda: "doesn't answer" in page.text("alert-text"))
    finally:
        page.cdp("Network.emulateNetworkConditions", **{**away, "offline": False})
    page.click("alert-again")
    page.wait(lambda: len(page.matches()) == 7)


def test_a_service_without_gallery(page, service):
    service.trouble["/gallery"] = 404, {"detail": "This service has no gallery."}
    page.open()
    assert page.text("about") == "The service has no gallery."
    assert page.text("alert-text") == "This service has no gallery."
    assert "No gallery" in page.text("results")
    page.click("alert-close")
    assert not page.shown("alert")


def test_names_are_nothing_but_text(page, service, person):
    service.rows = [
        Row(number, name, name, None, 0.9 - number / 20) for number, name in enumerate(HOSTILE)
    ]
    service.thresholds[1]["dataset"] = service.thresholds[0]["dataset"] = HOSTILE[0]
    page.open()
    page.choose(person)
    page.wait(lambda: len(page.matches()) == len(HOSTILE))
    assert page.names() == HOSTILE
    assert sorted(page.people()) == sorted(HOSTILE)
    page.click("filters")
    for name in HOSTILE[:3]:
        page.press(f"Delete {name}".replace('"', '\\"'))
        page.wait(lambda: page.shown("confirm"))
        assert page.text("confirm-title") == f"Delete {name}?"
        page.click("confirm-no")
    service.trouble["/search"] = 400, {"detail": HOSTILE[0]}
    page.click("search")
    page.wait(lambda: page.text("alert-text") == HOSTILE[0])
    page.js("return new Promise((done) => setTimeout(done, 100))")
    assert page.js("return window.hit") is None
    assert page.js("return document.querySelectorAll('#results script, #results svg').length") == 0


def test_a_name_does_not_turn_the_writing_around_it(page, service):
    service.rows = [Row(1, HOSTILE[4], None, None, 0.9), Row(2, HOSTILE[5], None, None, 0.9)]
    page.open()
    isolated = (
        "return [...document.querySelectorAll('bdi')]"
        "  .map((one) => getComputedStyle(one).unicodeBidi)"
    )
    assert page.js(isolated) == ["isolate", "isolate"]


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(page):
    own = page.url.rstrip("/")
    loaded = page.js("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert loaded and all(name.startswith(own) for name in loaded)
    assert (
        page.js("return document.querySelectorAll('style, [style], script:not([src])').length") == 0
    )
