"""Progress of an embedding: plain lines where none can change."""

from mmreid_ext.cli.screen import terminal
from mmreid_ext.cli.screen.embedding_progress import EmbeddingProgress


def test_lines_come_at_intervals(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    progress = EmbeddingProgress(5000, world_size=2)
    progress.start("photos", finished=1, shards=5)
    for second in (1, 11, 12, 30):
        now[0] = second
        progress(second * 10, 1000)
    progress.end()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "photos: 5,000 pictures, 2 ranks; continued, 1 of 5 parts are done"
    assert lines[1:] == [
        "11 %  20 pictures/s  0:01:29 left",
        "30 %  20 pictures/s  0:01:10 left",
    ]
