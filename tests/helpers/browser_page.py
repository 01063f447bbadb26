"""The page of the service in a real browser, driven by what a person can do."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
PATIENCE = 20.0  # seconds; a machine with other work is slow


def start_browser() -> Any:
    """Start a browser without a window; skip the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(PATIENCE)
    return driver


class Page:
    """One visit of the page.

    Args:
        driver: A started browser.
        url: Address of the service.
    """

    def __init__(self, driver: Any, url: str) -> None:
        self.driver, self.url = driver, url
        self.open()

    def open(self, width: int = 1280, height: int = 900, dark: bool = False, touch: bool = False):
        """Load the page anew, as a device of this size sees it; keys of earlier visits are gone."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme])
        self.cdp("Emulation.setLocaleOverride", locale="en-GB")
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.size(width, height, touch)
        if self.driver.current_url.startswith("http"):
            self.js("sessionStorage.clear()")
        self.driver.get(self.url)
        self.wait(lambda: "Asking" not in self.text("about") or self.shown("key-dialog"))
        return self

    def size(self, width: int, height: int = 900, mobile: bool = False) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Any, what: str = "") -> Any:
        """Wait until a condition holds, and return its value."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"{what or 'It'} didn't happen; the page says {self.said()}")
            time.sleep(0.015)
        return value

    def said(self) -> str:
        names = ("alert-text", "matches-note", "enrol-said", "status", "about")
        return json.dumps({name: self.text(name) for name in names}, ensure_ascii=False)

    # ---- what is there
    def one(self, name: str) -> Any:
        return self.driver.find_element("id", name)

    def text(self, name: str) -> str:
        return self.js("return document.getElementById(arguments[0]).textContent.trim()", name)

    def value(self, name: str) -> str:
        return self.js("return document.getElementById(arguments[0]).value", name)

    def shown(self, name: str) -> bool:
        return self.js("return document.getElementById(arguments[0]).checkVisibility()", name)

    def focused(self) -> str:
        """Id, label or text of what has the focus."""
        return self.js(
            "const at = document.activeElement;"
            "return at.id || at.getAttribute('aria-label') || at.textContent.trim()"
        )

    def matches(self) -> list[tuple[int, str]]:
        """Rank and similarity of the cards, as they stand on the page."""
        return self.js(
            "return [...document.querySelectorAll('.card')].map((card) => ["
            "Number(card.querySelector('.rank').textContent),"
            "card.querySelector('.similarity b').textContent])"
        )

    def names(self) -> list[str]:
        return self.js(
            "return [...document.querySelectorAll('.card .who')].map("
            "(who) => (who.querySelector('bdi') ?? who.querySelector('.nobody')).textContent)"
        )

    def above_and_below(self) -> list[list[str]]:
        """Similarities of each list of cards."""
        return self.js(
            "return [...document.querySelectorAll('.cards')].map((list) =>"
            "[...list.querySelectorAll('.similarity b')].map((value) => value.textContent))"
        )

    def people(self) -> list[str]:
        return self.js(
            "return [...document.querySelectorAll('#people-list bdi')]"
            "  .map((one) => one.textContent)"
        )

    # ---- what a person does
    def click(self, name: str) -> None:
        self.one(name).click()

    def press(self, label: str) -> None:
        """Click the button with this accessible label."""
        self.driver.find_element("css selector", f'[aria-label="{label}"]').click()

    def fill(self, name: str, text: str) -> None:
        """Type into a field, or set one for times, which types by language."""
        field = self.one(name)
        if field.get_attribute("type") == "datetime-local":
            self.js(
                "const [field, text] = arguments; field.value = text;"
                "for (const name of ['input', 'change'])"
                "  field.dispatchEvent(new Event(name, { bubbles: true }));",
                field,
                text,
            )
        else:
            field.send_keys("\ue009a\ue009", text or "\ue003")  # control and a: all of it

    def pick(self, name: str, text: str) -> None:
        """Choose an option by its text."""
        for option in self.one(name).find_elements("tag name", "option"):
            if option.text == text:
                return option.click()
        raise AssertionError(f"No option {text}")

    def choose(self, file: Path) -> None:
        before = self.text("picture-name")
        self.one("choose").send_keys(str(file))
        self.wait(lambda: self.text("picture-name") != before or self.shown("alert"), "The picture")

    def keys(self, *keys: str) -> None:
        """Press keys where the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, holding: str, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.driver, duration=0).key_down(holding)
        chain.send_keys(*keys).key_up(holding).perform()

    def drag(self, start: tuple[float, float], end: tuple[float, float], finger: bool = False):
        """Drag over the picture; points in its pixels."""
        points = [self.point(*at) for at in (start, end)]
        middle = {axis: (points[0][axis] + points[1][axis]) / 2 for axis in "xy"}
        steps = [points[0], middle, points[1]]
        if finger:
            for kind, at in zip(("touchStart", "touchMove", "touchMove"), steps, strict=True):
                self.cdp("Input.dispatchTouchEvent", type=kind, touchPoints=[at])
            self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            return
        kinds = ("mousePressed", "mouseMoved", "mouseMoved", "mouseReleased")
        for kind, at in zip(kinds, [*steps, points[1]], strict=True):
            self.cdp("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def point(self, x: float, y: float) -> dict[str, float]:
        """Where a pixel of the picture is on the screen."""
        return self.js(
            "const image = document.getElementById('shown');"
            "image.scrollIntoView({ block: 'nearest' });"
            "const frame = image.getBoundingClientRect();"
            "return { x: frame.left + arguments[0] / image.naturalWidth * frame.width,"
            "         y: frame.top + arguments[1] / image.naturalHeight * frame.height }",
            x,
            y,
        )

    def hand_over(self, event: str, *files: tuple[str, str, bytes]) -> None:
        """Paste or drop files: name, type and content."""
        self.js(
            "const [event, files] = arguments; const data = new DataTransfer();"
            "for (const [name, type, bytes] of files)"
            "  data.items.add(new File([new Uint8Array(bytes)], name, { type }));"
            "const options = { bubbles: true, cancelable: true };"
            "document.body.dispatchEvent(event === 'paste'"
            "  ? new ClipboardEvent('paste', { ...options, clipboardData: data })"
            "  : new DragEvent(event, { ...options, dataTransfer: data }));",
            event,
            [(name, kind, list(content)) for name, kind, content in files],
        )

    def complaints(self) -> list[str]:
        """What the browser's console holds against the page; refused requests aren't its fault."""
        texts = [entry["message"] for entry in self.driver.get_log("browser")]
        return [text for text in texts if "Failed to load resource" not in text]


CONTRAST = """
const parse = (text) => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const over = (front, back) =>
  [0, 1, 2].map((one) => front[one] * front[3] + back[one] * (1 - front[3])).concat(1);
const light = ([r, g, b]) => {
  const part = (byte) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const backOf = (node) => {
  if (!node) return parse(getComputedStyle(document.body).backgroundColor);
  const own = parse(getComputedStyle(node).backgroundColor);
  if (own[3] === 1 || node.matches('dialog')) return own;
  return over(own, backOf(node.parentElement));
};
const pale = [];
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const field = node.matches('input:not([type=checkbox], [type=file]), select');
  if (!(own || field) || !node.checkVisibility({ opacityProperty: true })) continue;
  if (node.matches(':disabled, option, .hidden:not(.toast)')) continue;
  const back = backOf(node);
  const front = over(parse(getComputedStyle(node).color), back);
  const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < 4.5) pale.push([node.textContent.trim() || node.id, ratio]);
}
return pale;
"""
"""Texts with their contrast, where it is less than 4.5."""

UNLABELLED = """
const controls = document.querySelectorAll('input, select, button, a, [tabindex="0"]');
return [...controls].filter((node) => node.checkVisibility()).filter((node) => {
  const labels = [...(node.labels ?? [])].map((label) => label.textContent.trim()).join('');
  const text = node.matches('select') ? '' : node.textContent.trim();
  return !(labels || text || node.getAttribute('aria-label'));
}).map((node) => node.id || node.outerHTML);
"""
"""Controls that a screen reader can't name."""
