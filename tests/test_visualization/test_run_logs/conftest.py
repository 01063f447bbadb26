"""Work folders of trainings whose values are known."""

import json

import pytest
from helpers.log_lines import train_line as train


@pytest.fixture
def write_log(tmp_path):
    """Write ``RUN/TIME/vis_data/scalars.json``; return the work folder."""

    def write(run, time, lines, end=""):
        folder = tmp_path / run / time / "vis_data"
        folder.mkdir(parents=True)
        text = "\n".join(json.dumps(line) for line in lines)
        (folder / "scalars.json").write_text(text + "\n" + end)
        return tmp_path / run

    return write


@pytest.fixture
def seeds(write_log):
    """Three seeds of one setting, whose losses are 1, 2 and 6 at 10, and half of it at 20."""
    for seed, loss in enumerate((1.0, 2.0, 6.0)):
        lines = [train(10, loss=loss), train(20, loss=loss / 2)]
        lines += [{"a/mAP": 50.0 + loss, "a/rerank/mAP": 60.0, "time": 1.0, "step": 20}]
        folder = write_log(f"setting/seed_{seed}", "T", lines)
    return folder.parent
