"""Enrolment of the present picture."""

import re
from datetime import datetime

import pytest


@pytest.fixture
def ready(page, person):
    page.choose(person)
    page.wait(lambda: len(page.matches()) == 7)
    return page


def enrolled(page, words):
    page.click("enrol-go")
    page.wait(lambda: words in page.text("enrol-said"), words)


def test_a_new_person_with_camera_and_time(ready, service):
    ready.fill("enrol-name", " Zoe ")
    ready.fill("enrol-camera", "door")
    ready.fill("enrol-time", "2026-05-04T10:11:12")
    enrolled(ready, "1 picture of Zoe added.")
    form = service.forms("/enroll")[0]
    assert form["identity"] == ["Zoe"] and form["camera"] == ["door"] and "box" not in form
    assert datetime.fromisoformat(form["time"][0][:-1]).second == 12
    ready.wait(lambda: "Zoe" in ready.people())
    ready.wait(lambda: "Zoe" in ready.names())  # the matches are new, too
    assert ready.text("about") == "8 pictures of 3 people"


def test_what_is_there_already_is_said(ready):
    ready.fill("enrol-name", "zoe")
    ready.fill("enrol-time", "2026-05-04T10:11:12")
    enrolled(ready, "added.")
    enrolled(ready, "has this picture already")


def test_a_picture_that_is_known_as_somebody_else_is_said(ready, service):
    service.trouble["/enroll"] = 200, {"added": 0, "known": 1, "ids": [3], "conflicts": [3]}
    ready.fill("enrol-name", "zoe")
    enrolled(ready, "already, as somebody else")


def test_the_box_goes_with_it(page, service, photo):
    page.choose(photo)
    page.drag((260, 60), (360, 320))
    page.fill("enrol-name", "zoe")
    enrolled(page, "added.")
    assert re.fullmatch(r"\d+,\d+,\d+,\d+", service.forms("/enroll")[0]["box"][0])


def test_the_time_is_now_unless_it_is_set(ready, service):
    ready.fill("enrol-name", "zoe")
    enrolled(ready, "added.")
    sent = datetime.fromisoformat(service.forms("/enroll")[0]["time"][0].replace("Z", "+00:00"))
    assert abs(datetime.now().timestamp() - sent.timestamp()) < 30
    ready.fill("enrol-time", "")
    enrolled(ready, "added.")
    assert "time" not in service.forms("/enroll")[1]


def test_known_people_and_cameras_are_suggested(page):
    suggested = "return [...document.getElementById(arguments[0]).options].map((one) => one.value)"
    assert page.js(suggested, "people-names") == ["anna", "ben"]
    assert page.js(suggested, "camera-names") == ["gate", "yard"]


@pytest.mark.parametrize("name", ["", "  ", ".", ".."])
def test_a_name_is_needed(ready, service, name):
    ready.fill("enrol-name", name)
    enrolled(ready, "ame")
    assert ready.focused() == "enrol-name" and service.forms("/enroll") == []
    assert ready.one("enrol-name").get_attribute("aria-invalid") == "true"


def test_a_picture_is_needed(page, service):
    page.fill("enrol-name", "zoe")
    enrolled(page, "Choose a picture first.")
    assert page.focused() == "choose" and service.forms("/enroll") == []


def test_pressed_twice_it_enrols_once(ready, service):
    ready.fill("enrol-name", "zoe")
    ready.js("for (let time = 0; time < 3; time++) document.getElementById('enrol-go').click()")
    ready.wait(lambda: "added" in ready.text("enrol-said"))
    assert len(service.forms("/enroll")) == 1


def test_after_trouble_it_can_be_tried_again(ready, service):
    service.trouble["/enroll"] = 503, {"detail": "The service is busy. Ask again in a second."}
    ready.fill("enrol-name", "zoe")
    ready.click("enrol-go")
    ready.wait(lambda: ready.text("alert-text") == "The service is busy. Ask again in a second.")
    assert ready.text("enrol-said") == ""
    service.trouble.clear()
    ready.click("alert-again")
    ready.wait(lambda: "added" in ready.text("enrol-said"))
    assert not ready.shown("alert")
