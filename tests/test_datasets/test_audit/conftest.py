"""A sound list of drawn people."""

import pytest
from helpers.drawn_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")
