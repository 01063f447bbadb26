from mmreid_ext.evaluation import progress as module
from mmreid_ext.evaluation.progress import PeriodicProgress


def test_speaks_once_per_interval(monkeypatch):
    clock = iter([0, 3, 11, 12, 22])  # construction, then four calls
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    lines = []
    progress = PeriodicProgress(lines.append, interval=10)
    for done in (1, 2, 3, 4):
        progress("ranking", done, 4)
    assert lines == ["ranking: 50 %", "ranking: 100 %"]
