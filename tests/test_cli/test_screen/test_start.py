"""The lines before the first step."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.utils.data import DataLoader

from mmreid_ext.cli.screen.start import shown_path, steps_line

LOADER = DataLoader(range(40), batch_size=4)


def runner_of(loop, **changes):
    loop = SimpleNamespace(dataloader=LOADER, **loop)
    return SimpleNamespace(
        **dict(train_loop=loop, world_size=2, iter=0, val_loop=object()) | changes
    )


ITERS = dict(max_iters=12000, val_interval=1000)
EPOCHS = dict(max_iters=30, max_epochs=3, _max_epochs=3, val_interval=3)


@pytest.mark.parametrize(
    "runner, text",
    [
        (runner_of(ITERS), "12,000 iterations, 8 images each, validation every 1,000"),
        (runner_of(ITERS, val_loop=None), "12,000 iterations, 8 images each"),
        (
            runner_of(ITERS, iter=500),
            "12,000 iterations, 8 images each, validation every 1,000; resumed after iteration 500",
        ),
        (runner_of(EPOCHS), "3 epochs of 10 iterations, 8 images each, validation at the end"),
    ],
)
def test_steps(runner, text):
    assert steps_line(runner) == text


def test_paths_are_short_where_they_can_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "work" / "a.log") == str(Path("work", "a.log"))
    assert shown_path("/elsewhere/a.log") == "/elsewhere/a.log"
