"""Share a small configuration file."""

import pytest
from helpers.configuration_file import TEXT


@pytest.fixture
def path(tmp_path):
    (tmp_path / "base.py").write_text(TEXT)
    return tmp_path / "base.py"
