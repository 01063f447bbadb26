"""Ways of a picture into the page."""

from helpers.fake_service import drawn_jpeg


def searched(page, count=7):
    page.wait(lambda: len(page.matches()) == count, f"{count} matches")


def test_a_chosen_picture_of_one_person_is_searched_at_once(page, service, person):
    page.choose(person)
    searched(page)
    assert page.text("picture-name") == "person1.jpg, 64 × 128"
    assert page.matches()[0] == [1, "0.910"]
    assert service.forms("/search")[0]["image"] == [f"{len(drawn_jpeg(1))} bytes"]
    assert "box" not in service.forms("/search")[0]


def test_a_photo_waits_for_a_box_or_the_button(page, service, photo):
    page.choose(photo)
    page.wait(lambda: "Mark a person" in page.text("status"))
    assert service.forms("/search") == [] and page.shown("add-box")
    page.click("search")
    searched(page)


def test_paste_and_drop(page, service):
    jpeg = drawn_jpeg(2)
    for number, event in enumerate(("paste", "drop"), 1):
        page.hand_over(event, ("", "image/jpeg", jpeg))
        page.wait(lambda: len(service.forms("/search")) == number, event)  # noqa: B023
        searched(page)
    assert service.forms("/search")[1]["image"] == [f"{len(jpeg)} bytes"]
    assert page.text("picture-name") == "Pasted picture, 64 × 128"


def test_text_pasted_into_a_field_stays_text(page):
    page.js("document.getElementById('enrol-name').focus()")
    assert page.js(
        "const data = new DataTransfer(); data.setData('text/plain', 'anna');"
        "return document.activeElement.dispatchEvent(new ClipboardEvent('paste',"
        "  { bubbles: true, cancelable: true, clipboardData: data }))"
    )
    assert not page.shown("alert")


def test_of_several_files_the_first_picture_counts(page, service):
    page.hand_over(
        "drop",
        ("a.txt", "text/plain", b"a"),
        ("b.jpg", "image/jpeg", drawn_jpeg(1)),
        ("c.jpg", "image/jpeg", b"x"),
    )
    searched(page)
    assert page.text("picture-name").startswith("b.jpg, 64 × 128")
    assert "2 other files left out" in page.text("picture-name")


def test_what_is_no_picture_is_named(page, service, person):
    page.hand_over("drop", ("list.txt", "text/plain", b"a"))
    page.wait(lambda: page.text("alert-text") == "list.txt isn't a picture.")
    page.hand_over("drop")
    page.wait(lambda: "no picture file" in page.text("alert-text"))
    page.hand_over("drop", ("none.jpg", "image/jpeg", b""))
    page.wait(lambda: page.text("alert-text") == "none.jpg is empty.")
    assert service.forms("/search") == []
    page.choose(person)
    searched(page)
    assert not page.shown("alert")


def test_a_format_that_the_browser_cannot_show_is_sent_all_the_same(page, service):
    page.hand_over("drop", ("phone.heic", "", b"not shown here"))
    page.wait(lambda: page.shown("undrawn"))
    assert not page.shown("add-box")
    page.click("search")
    searched(page)
    assert service.forms("/search")[-1]["image"] == ["14 bytes"]


def test_a_file_over_the_page_shows_where_to_drop(page):
    over = "return document.getElementById('stage').classList.contains('over')"
    page.hand_over("dragenter")
    assert page.js(over)
    page.hand_over("dragleave")
    assert not page.js(over)


def test_a_match_becomes_the_picture(page, service, person):
    page.choose(person)
    searched(page)
    page.press("Search with match 3, ben")
    page.wait(lambda: page.text("picture-name").startswith("Match 3, ben"))
    page.wait(lambda: len(service.forms("/search")) == 2)
    assert service.forms("/search")[1]["image"] == [f"{len(drawn_jpeg(2))} bytes"]


def test_the_same_file_can_be_chosen_twice(page, service, person):
    for count in (1, 2):
        page.one("choose").send_keys(str(person))
        page.wait(lambda: len(service.forms("/search")) == count)  # noqa: B023
