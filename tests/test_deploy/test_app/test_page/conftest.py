"""One browser and one service for all tests of the page."""

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs mmreid_ext[serve]")
pytest.importorskip("uvicorn", reason="needs mmreid_ext[serve]")

from helpers.browser_page import Page, start_browser
from helpers.fake_service import FakeService, Served, drawn_jpeg, fake_app
from helpers.synthetic_people import someone

from mmreid_ext.datasets.synthetic.drawing import draw_figure


@pytest.fixture(scope="session")
def browser():
    driver = start_browser()
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def served():
    service = FakeService()
    with Served(fake_app(service)) as url:
        yield service, url


@pytest.fixture
def service(served):
    served[0].reset()
    return served[0]


@pytest.fixture
def page(browser, served, service):
    """The page, loaded; afterwards, nothing may stand against it in the browser's console."""
    page = Page(browser, served[1])
    page.complaints()  # those of an earlier page
    yield page
    assert page.complaints() == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for pid in (1, 2):
        (folder / f"person{pid}.jpg").write_bytes(drawn_jpeg(pid))
    return folder


@pytest.fixture(scope="session")
def person(pictures):
    """A picture of one person, 64 x 128."""
    return pictures / "person1.jpg"


@pytest.fixture(scope="session")
def photo(pictures):
    """A photo of three people, 640 x 360."""
    canvas = np.full((360, 640, 3), 200, np.uint8)
    for left, pid in ((60, 1), (250, 2), (440, 3)):
        figure, mask = draw_figure(someone(pid), "front", 0.2)
        part = canvas[70:326, left : left + 128]
        part[mask > 0] = figure[mask > 0]
    path = pictures / "photo.png"
    cv2.imwrite(str(path), canvas)
    return path
