"""Share both ways to load a checkpoint."""

import pytest

from mmreid_ext.checkpoint import safe_load


@pytest.fixture(params=["default", "restricted"])
def loader(request, monkeypatch):
    """`safe_load` as it is on this PyTorch, and as it is on those before 2.6."""
    import sys

    module = sys.modules["mmreid_ext.checkpoint.safe_load"]
    if request.param == "restricted":
        monkeypatch.setattr(module, "_HAS_NAMED_SAFE_GLOBALS", False)
    return safe_load
