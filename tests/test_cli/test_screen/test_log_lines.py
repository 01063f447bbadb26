"""Short lines for people, all values for programs."""

from types import SimpleNamespace

from mmreid_ext.cli.screen.figures import Figures
from mmreid_ext.cli.screen.log_lines import ShortLines

VALUES = dict(loss=1.5, time=0.25, data_time=0.01, memory=2048, base_lr=1.0)


class Processor:
    window_size = 10

    def get_log_after_iter(self, runner, batch_idx, mode):
        return VALUES, "everything"


PROGRESS = SimpleNamespace(figures=lambda runner, values: Figures("iter 1/2", values))
LINES = ShortLines(Processor(), PROGRESS)


def test_training():
    values, line = LINES.get_log_after_iter(None, 0, "train")
    assert values is VALUES
    assert line == "iter 1/2  loss 1.50  time 0.250 s  data 0.010 s  memory 2,048 MB"


def test_everything_else_is_the_processors():
    assert LINES.get_log_after_iter(None, 0, "val") == (VALUES, "everything")
    assert LINES.window_size == 10
