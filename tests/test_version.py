"""Versions are compared as numbers, and asked for in one place."""

import re

import pytest
import torch
from helpers.paths import ROOT

from mmreid_ext.version import release, torch_is_at_least


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.11.0rc1+cpu", (2, 11)), ("0.10.7", (0, 10, 7)), ("3", (3,)), ("unknown", ())],
)
def test_a_release_is_its_numbers(version, numbers):
    assert release(version) == numbers


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.3.1+cu121", False), ("2.4.0", True), ("2.4.0rc1", True), ("2.11.0", True), ("3.0", True)],
)
def test_the_release_of_pytorch_is_compared_as_numbers(version, expected, monkeypatch):
    monkeypatch.setattr(torch, "__version__", version)
    assert torch_is_at_least(2, 4) is expected


def test_nothing_else_depends_on_the_version_of_another_package():
    asks = re.compile(r"digit_version|version_info|\btorch\.__version__")
    files = [path for path in (ROOT / "mmreid_ext").rglob("*.py") if ".mim" not in path.parts]
    found = {path.name for path in files if asks.search(path.read_text(encoding="utf-8"))}
    assert found == {"environment.py", "version.py", "card.py"}  # a card only names it
