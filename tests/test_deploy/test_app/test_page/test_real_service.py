"""The page on the real service, with a real gallery and a real, if tiny, model."""

import pytest

pytest.importorskip("faiss", reason="needs mmreid_ext[gallery]")
pytest.importorskip("onnx", reason="needs mmreid_ext[deploy]")
pytest.importorskip("onnxruntime", reason="needs mmreid_ext[deploy]")

from helpers.browser_page import Page
from helpers.exported_model import write_onnx
from helpers.fake_service import Served

from mmreid_ext.deploy.app import create_app

KEY = "a-key-of-many-letters"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    app = create_app(str(write_onnx(folder)), str(folder / "people.db"), api_key=KEY)
    with Served(app) as url:
        yield url


@pytest.fixture
def real(browser, address):
    page = Page(browser, address)
    page.complaints()
    page.fill("key", KEY)
    page.keys("\ue007")
    page.wait(lambda: "Asking" not in page.text("about"))
    yield page
    page.js("sessionStorage.clear()")
    assert page.complaints() == []


def enrol(page, picture, name, camera, time):
    page.choose(picture)
    page.fill("enrol-name", name)
    page.fill("enrol-camera", camera)
    page.fill("enrol-time", time)
    page.click("enrol-go")
    page.wait(lambda: "added" in page.text("enrol-said"), f"Enrolling {name}")


def test_from_an_empty_gallery_to_a_deleted_person(real, pictures, person, photo):
    assert real.text("about") == "The gallery is empty." and "tiny" in real.text("model")
    enrol(real, person, "anna/<b>", "gate", "2026-03-01T09:30:00")
    enrol(real, pictures / "person2.jpg", "ben", "yard", "2026-03-02T09:30:00")
    real.click("enrol-go")
    real.wait(lambda: "has this picture already" in real.text("enrol-said"))
    real.fill("enrol-name", "zoe")
    real.click("enrol-go")
    real.wait(lambda: "as somebody else" in real.text("enrol-said"))

    real.choose(person)
    real.wait(lambda: len(real.matches()) == 2 and real.names()[0] == "anna/<b>")
    assert real.matches()[0] == [1, "1.000"]
    assert real.text("rate") and "1 in 1,000" in real.text("rate-help")
    widths = "return [...document.querySelectorAll('.card img')].map((one) => one.naturalWidth)"
    real.wait(lambda: min(real.js(widths)) > 0, "The thumbnails")
    real.click("rerank")
    real.wait(lambda: "Re-ranked" in real.text("matches-note"))
    real.click("rerank")

    real.click("filters")
    real.driver.find_element("css selector", "#cameras input[value=yard]").click()
    real.wait(lambda: real.names() == ["ben"])
    real.fill("until", "2026-03-01T12:00")
    real.wait(lambda: "No match under these filters" in real.text("matches-note"))
    real.click("clear")
    real.wait(lambda: len(real.matches()) == 2)

    real.choose(photo)
    real.drag((60, 60), (190, 330))
    real.wait(lambda: len(real.matches()) == 2, "The search in the box")
    real.press("Delete anna/<b>")
    real.wait(lambda: real.shown("confirm"))
    real.click("confirm-yes")
    real.wait(lambda: real.people() == ["ben"] and real.names() == ["ben"])
    real.wait(lambda: real.text("status") == "1 picture of anna/<b> deleted.")


def test_the_sentence_of_a_refusal_is_shown(real):
    real.hand_over("drop", ("broken.jpg", "image/jpeg", b"\xff\xd8\xff no picture"))
    real.wait(lambda: real.shown("undrawn"))
    real.click("search")
    real.wait(lambda: len(real.text("alert-text")) > 20 and "status" not in real.text("alert-text"))
