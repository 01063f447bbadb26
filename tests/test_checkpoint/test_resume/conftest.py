"""Share one run with its checkpoints."""

import pytest
from helpers.tiny_loops import make_runner


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a run with checkpoints at every iteration, and a best one."""
    folder = tmp_path_factory.mktemp("run")
    make_runner(folder, save_best=True).train()
    return folder
