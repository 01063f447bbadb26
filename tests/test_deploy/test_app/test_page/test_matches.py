"""Matches, the line between the same person and others, filters, and which answer counts."""

import pytest
from helpers.fake_service import Row


@pytest.fixture
def found(page, person):
    """The page with its seven matches."""
    page.choose(person)
    page.wait(lambda: len(page.matches()) == 7, "Seven matches")
    return page


def after(page, service, act):
    """Do something and return the form of the search that follows."""
    before = len(service.forms("/search"))
    act()
    page.wait(lambda: len(service.forms("/search")) > before, "A search")
    page.wait(lambda: page.js("return document.getElementById('results').ariaBusy") == "false")
    return service.forms("/search")[-1]


def line(page):
    return page.js("return document.querySelector('h3.line')?.textContent")


def test_a_card_says_who_where_when_and_how_similar(found):
    card = found.driver.find_element("css selector", ".card")
    for text in ("anna", "0.910", "Same person", "Camera gate", "1 Mar 2026"):
        assert text in card.text, text
    time = card.find_element("tag name", "time")
    assert time.get_attribute("title") == "2026-03-01T09:30:00Z"
    image = card.find_element("tag name", "img")
    assert image.get_attribute("alt") == "Match 1, anna"
    found.wait(lambda: image.get_property("naturalWidth") == 64)


def test_without_a_thumbnail_the_card_says_so(page, service, person):
    service.rows = [Row(1, "anna", None, None, 0.9, person=None), Row(2, "ben", None, None, 0.8)]
    service.trouble["/thumbnail"] = 404, {"detail": "no"}
    page.choose(person)
    texts = "return [...document.querySelectorAll('.thumb')].map((one) => one.textContent)"
    page.wait(lambda: page.js(texts) == ["No picture kept", "No picture kept"])


def test_the_line_parts_the_matches_and_moves_without_the_service(found, service):
    assert found.above_and_below() == [
        ["0.910", "0.830", "0.720"],
        ["0.660", "0.520", "0.400", "0.120"],
    ]
    assert line(found) == "Same person from 0.700 on1 in 1,000 false alarms"
    assert "7 matches, 3 of them are the same person" in found.text("matches-note")
    assert "finds 62 % of the right pairs (drawn)" in found.text("rate-help")
    found.pick("rate", "1 in 100")
    assert [len(part) for part in found.above_and_below()] == [4, 3]
    assert line(found).startswith("Same person from 0.550 on")
    found.wait(lambda: "4 of them" in found.text("status"))
    assert len(service.forms("/search")) == 1


def test_a_rate_that_the_test_could_not_support_is_no_choice(found):
    option = found.one("rate").find_elements("tag name", "option")[2]
    assert option.text == "1 in 10,000 (too few test pairs)" and not option.is_enabled()


@pytest.mark.parametrize(
    ("bound", "above", "words"), [(0.95, 0, "No match reaches"), (0.05, 7, "No match is below")]
)
def test_the_line_is_there_when_all_are_on_one_side(page, service, person, bound, above, words):
    service.thresholds = [{"fpr": 0.001, "similarity": bound, "tpr": None, "dataset": "drawn"}]
    page.open()
    page.choose(person)
    page.wait(lambda: f"{above} of them" in page.text("matches-note"))
    assert words in page.text("results") and line(page)
    assert "right pairs" not in page.text("rate-help")


def test_without_thresholds_the_page_says_so(page, service, person):
    service.thresholds = []
    page.open()
    assert "no thresholds" in page.text("rate-help") and not page.one("rate").is_enabled()
    page.choose(person)
    page.wait(lambda: len(page.matches()) == 7)
    assert line(page) is None and "Same person" not in page.text("results")
    assert page.text("matches-note") == "7 matches."


def test_re_ranked_matches_keep_their_order_and_each_says_its_side(found, service):
    form = after(found, service, lambda: found.click("rerank"))
    assert form["rerank"] == ["true"]
    assert found.matches()[:2] == [[1, "0.830"], [2, "0.910"]]
    assert line(found) is None and "Re-ranked" in found.text("matches-note")
    assert found.text("results").count("Same person") == 3


def test_filters_reach_the_service(found, service):
    found.click("filters")
    gate = found.driver.find_element("css selector", "#cameras input[value=gate]")
    form = after(found, service, gate.click)
    assert form["camera"] == ["gate"] and len(found.matches()) == 4
    assert found.text("filter-count") == "1 on"
    yard = found.driver.find_element("css selector", "#cameras input[value=yard]")
    assert after(found, service, yard.click)["camera"] == ["gate", "yard"]
    form = after(found, service, lambda: found.pick("not-camera", "yard"))
    assert form["not_camera"] == ["yard"] and len(found.matches()) == 4
    form = after(found, service, lambda: (found.fill("person", "ben"), found.keys("\ue004")))
    assert form["identity"] == ["ben"] and found.names() == ["ben", "ben"]
    assert found.text("filter-count") == "4 on"
    form = after(found, service, lambda: found.click("clear"))
    assert set(form) == {"image", "topk", "rerank"} and len(found.matches()) == 7
    assert not found.shown("filter-count")


def test_times_are_local_on_the_page_and_utc_in_the_question(page, service, person):
    page.cdp("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    try:
        page.open()
        page.choose(person)
        page.wait(lambda: len(page.matches()) == 7)
        assert "15:00" in page.driver.find_element("css selector", ".card time").text
        page.click("filters")
        form = after(page, service, lambda: page.fill("since", "2026-03-03T15:00"))
        assert form["since"] == ["2026-03-03T09:30:00.000Z"] and len(page.matches()) == 5
        form = after(page, service, lambda: page.fill("until", "2026-03-04T15:00"))
        assert form["until"] == ["2026-03-04T09:30:00.000Z"] and len(page.matches()) == 2
    finally:
        page.cdp("Emulation.setTimezoneOverride", timezoneId="")


def test_the_number_of_matches(found, service):
    service.rows = [Row(number, "anna", None, None, 0.5) for number in range(15)]
    form = after(found, service, lambda: found.pick("topk", "10"))
    assert form["topk"] == ["10"] and len(found.matches()) == 10


def test_no_match_under_the_filters_offers_to_clear_them(found, service):
    found.click("filters")
    after(found, service, lambda: (found.fill("person", "zoe"), found.keys("\ue004")))
    assert found.text("matches-note") == "No match under these filters."
    button = found.driver.find_element("css selector", "#results button")
    after(found, service, button.click)
    assert len(found.matches()) == 7


def test_an_empty_gallery_says_what_to_do(page, service, person):
    service.rows = []
    page.open()
    assert page.text("about") == "The gallery is empty."
    assert "Enrol the first person" in page.text("results")
    assert page.text("people-note") == "Nobody is enrolled yet."
    page.choose(person)
    page.wait(lambda: page.text("status") == "The gallery is empty.")
    assert "Enrol the first person" in page.text("results")


def test_of_two_searches_the_newer_one_counts(found, service):
    service.wait = [0.5, 0]
    found.js(
        "const real = window.fetch; window.signals = [];"
        "window.fetch = (path, options) => {"
        "  signals.push(options.signal); return real(path, options); }"
    )
    found.pick("topk", "50")  # answered late
    service.rows = service.rows[:2]
    form = after(found, service, lambda: found.pick("topk", "100"))
    assert form["topk"] == ["100"]
    found.wait(lambda: len(found.matches()) == 2)
    found.js("return new Promise((done) => setTimeout(done, 600))")
    assert len(found.matches()) == 2 and not found.shown("alert")
    assert found.js("return signals.map((one) => one.aborted)") == [True, False]


def test_a_search_pressed_twice_is_one(found, service):
    service.wait = [0.3]
    found.js("document.getElementById('search').click()")
    found.wait(lambda: len(service.forms("/search")) == 2)
    found.js("document.getElementById('search').click()")
    assert found.text("search") == "Searching …"
    assert found.js("return document.getElementById('results').ariaBusy") == "true"
    found.wait(lambda: found.text("search") == "Search")
    assert len(service.forms("/search")) == 2
