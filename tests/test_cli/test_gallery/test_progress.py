"""Progress of a gallery: in a file it is seldom."""

import io

from mmreid_ext.cli.gallery.progress import CountedProgress
from mmreid_ext.cli.screen import terminal


def test_lines_come_at_intervals(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    progress = CountedProgress(100, "pictures", terminal.Terminal(out, {}))
    progress(40)
    assert out.getvalue() == ""
    now[0] = 11.0
    progress(15)
    progress.end()
    assert out.getvalue() == "55 of 100 pictures  5/s\n"
