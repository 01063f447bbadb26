"""How far a check is."""

import io

from mmreid_ext.cli.checking import progress as module
from mmreid_ext.cli.checking.progress import CheckProgress


class Recorder:
    can_change = True

    def __init__(self):
        self.shown = []

    def change(self, text):
        self.shown.append(text)

    def line(self, text):
        self.shown.append(text)


def test_a_long_stage_has_a_line_with_the_time_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = CheckProgress()
    progress._terminal = Recorder()
    for second in range(5):
        now[0] = float(second)
        progress("pictures", 1000 * second, 65000)
    assert progress._terminal.shown[0] == "pictures: 1,000 of 65,000 (1 %), 1:04 left"
    assert len(progress._terminal.shown) == 4


def test_a_short_check_writes_nothing_into_a_pipe(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(module.sys, "stderr", stream)
    progress = CheckProgress()
    progress("pictures", 1, 2)
    progress.clear()
    assert stream.getvalue() == ""
