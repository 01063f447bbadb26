"""A box around one person, by mouse, finger, keys and numbers."""

import pytest

LEFT, RIGHT, UP, DOWN = "\ue012", "\ue014", "\ue013", "\ue015"
SHIFT, CONTROL, ENTER, DELETE = "\ue008", "\ue009", "\ue007", "\ue017"


def box(page):
    if not page.shown("box"):
        return None
    return [int(page.value(f"box-{name}")) for name in "xywh"]


def near(found, wanted):
    """Equal but for the width of a pixel of the screen."""
    return found is not None and all(abs(a - b) <= 3 for a, b in zip(found, wanted, strict=True))


@pytest.fixture
def marked(page, photo):
    """The photo, with a box in its middle that has the focus."""
    page.choose(photo)
    page.click("add-box")
    assert page.focused() == "box"
    return page


def test_drawn_by_mouse_and_sent(page, service, photo):
    page.choose(photo)
    page.drag((260, 60), (360, 320))
    page.wait(lambda: service.forms("/search"), "The search")
    assert near(box(page), [260, 60, 100, 260])
    sent = [int(value) for value in service.forms("/search")[0]["box"][0].split(",")]
    assert sent == box(page)


def test_drawn_from_any_corner_and_never_out_of_the_picture(page, photo):
    page.choose(photo)
    page.drag((360, 320), (260, 60))
    assert near(box(page), [260, 60, 100, 260])
    page.drag((500, 300), (900, 700))
    x, y, w, h = box(page)
    assert (x + w, y + h) == (640, 360)


def test_moved_and_resized_by_mouse(page, photo):
    page.choose(photo)
    page.drag((260, 60), (360, 320))
    page.drag((310, 200), (410, 220))
    assert near(box(page), [360, 80, 100, 260])
    page.drag((461, 341), (500, 350))  # its lower right corner
    assert near(box(page), [360, 80, 140, 270])
    page.drag((359, 79), (300, 20))
    assert near(box(page), [300, 20, 200, 330])


def test_a_trembling_click_changes_nothing(marked, service):
    before = box(marked)
    marked.drag((20, 20), (22, 21))
    assert box(marked) == before and service.forms("/search") == []


def test_by_keys(marked, service):
    x, y, w, h = box(marked)
    marked.keys(RIGHT, RIGHT, DOWN)  # one per cent of the longer side
    assert box(marked) == [x + 12, y + 6, w, h]
    marked.chord(SHIFT, RIGHT, UP)
    assert box(marked) == [x + 12, y + 6, w + 6, h - 6]
    marked.chord(CONTROL, LEFT, UP)
    assert box(marked) == [x + 11, y + 5, w + 6, h - 6]
    marked.wait(lambda: f"Left {x + 11}, top {y + 5}, width {w + 6}" in marked.text("status"))
    assert service.forms("/search") == []  # a step is no question
    marked.keys(ENTER)
    marked.wait(lambda: service.forms("/search"))
    assert service.forms("/search")[0]["box"] == [f"{x + 11},{y + 5},{w + 6},{h - 6}"]


def test_keys_keep_it_in_the_picture(marked):
    x, y, w, h = box(marked)
    marked.keys(*[RIGHT] * 60)
    assert box(marked) == [640 - w, y, w, h]
    marked.chord(SHIFT, *[LEFT] * 40)
    assert box(marked)[2] == 4
    marked.chord(SHIFT, *[DOWN] * 40)
    assert box(marked)[1] + box(marked)[3] == 360


def test_delete_takes_it_away_and_says_so(marked, service):
    marked.keys(DELETE)
    assert box(marked) is None and marked.focused() == "add-box"
    marked.wait(lambda: "whole picture" in marked.text("status"))
    marked.click("search")
    marked.wait(lambda: service.forms("/search"))
    assert "box" not in service.forms("/search")[0]


def test_the_button_puts_it_there_and_away(page, photo):
    page.choose(photo)
    pressed = "return document.getElementById('add-box').ariaPressed"
    assert page.js(pressed) == "false"
    page.click("add-box")
    assert page.js(pressed) == "true" and box(page)
    page.click("add-box")
    assert page.js(pressed) == "false" and box(page) is None


def test_by_numbers(marked, service):
    marked.js("document.getElementById('box-x').focus()")
    for name, value in zip("xywh", ("20", "30", "5000", "100"), strict=True):
        marked.fill(f"box-{name}", value)
        marked.keys("\ue004")
    assert box(marked) == [20, 30, 620, 100]
    marked.wait(
        lambda: (
            service.forms("/search")[-1:] and "20,30,620,100" in service.forms("/search")[-1]["box"]
        )
    )
    marked.fill("box-y", "300")
    marked.keys("\ue004")
    assert box(marked) == [20, 300, 620, 60]  # cut at the lower edge
    marked.fill("box-w", "")
    marked.keys("\ue004")
    assert box(marked) == [20, 300, 620, 60]


def test_by_finger(page, photo, service):
    page.open(390, 844, touch=True)
    page.choose(photo)
    page.drag((100, 50), (200, 300), finger=True)
    assert box(page) is None  # a finger scrolls, until a person is to be marked
    page.click("add-box")
    page.drag((20, 50), (150, 330), finger=True)
    page.wait(lambda: near(box(page), [20, 50, 130, 280]), "The box")
    page.drag((85, 200), (185, 200), finger=True)
    page.wait(lambda: near(box(page), [120, 50, 130, 280]), "The move")
    page.wait(lambda: service.forms("/search"))


def test_stays_on_the_person_at_any_width(marked):
    part = (
        "const [box, image] = ['box', 'shown'].map((id) =>"
        "  document.getElementById(id).getBoundingClientRect());"
        "return [(box.left - image.left) / image.width, box.width / image.width,"
        "        (box.top - image.top) / image.height, box.height / image.height]"
    )
    before = marked.js(part)
    marked.size(380)
    assert marked.js(part) == pytest.approx(before, abs=0.02)


def test_a_new_picture_has_no_box(marked, person, service):
    marked.choose(person)
    marked.wait(lambda: service.forms("/search"))
    assert box(marked) is None and "box" not in service.forms("/search")[0]
