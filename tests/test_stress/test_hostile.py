"""Hostile files do no harm, and ``tools/stress/hostile.py`` would notice if they did."""

import json
import mmap
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.paths import ROOT, TOOLS

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds memory")


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / "stress")
    from hostile_parts import attack, child, judge

    return attack, child, judge


@pytest.mark.slow
@linux_only
def test_the_most_telling_pairs(tmp_path):
    report = tmp_path / "report.json"
    command = [sys.executable, TOOLS / "stress" / "hostile.py", "--short", "--report", report]
    env = dict(os.environ, PYTHONPATH=str(ROOT), TMPDIR=str(tmp_path))
    found = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    rows = json.loads(report.read_text())
    assert len(rows) > 25 and {row["ended"] for row in rows} == {"refused", "harmless"}
    assert {row["kind"] for row in rows} >= {"checkpoint", "configuration", "features", "csv"}
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@linux_only
def test_what_a_program_takes_is_measured(parts, tmp_path):
    _, child, _ = parts

    def costly():
        kept = mmap.mmap(-1, 400 * 2**20)  # not from memory that the parent has kept
        for _ in range(400):
            kept.write(bytes(2**20))
        os.write(1, b"\x1b[2J")  # past pytest, which takes what is printed
        os.write(2, b"error: x")
        raise SystemExit(len(kept) // 2**29 + 1)

    found = child.run_forked(costly, tmp_path / "log", tmp_path, 60)
    assert found.code == 1 and "error: x" in found.text and "\x1b" in found.text
    assert 300 * 2**20 < found.memory < 800 * 2**20
    stuck = child.run_forked(lambda: time.sleep(60), tmp_path / "log", tmp_path, 60, most_wall=0.3)
    assert stuck.code == -9
    full = child.run_forked(lambda: bytearray(2**35), tmp_path / "log", tmp_path, 60)
    assert full.code == 1 and full.memory < 2**30


HARM = {
    "code": (dict(), {"EXECUTED": ""}, "CODE WAS EXECUTED"),
    "a removal": (dict(), {"victim": None}, "changed .*victim"),
    "a change": (dict(), {"victim": "else"}, "changed .*victim"),
    "a file": (dict(), {"new": ""}, "changed .*new"),
    "a crash": (dict(code=-11), {}, "ended with -11"),
    "a traceback": (dict(text="Traceback (most recent call last):\nX: y"), {}, "a traceback: X: y"),
    "a control character": (dict(text="error: \x1b[2J"), {}, "control character"),
    "silence": (dict(text=""), {}, "without a line"),
    "memory": (dict(memory=2**30), {}, "took 1,024 MB"),
    "time": (dict(cpu=100.0), {}, "took 100 s"),
    "belief": (dict(code=0), {}, "accepted"),
}


@pytest.mark.parametrize("name", HARM)
def test_harm_is_noticed(parts, tmp_path, name):
    attack, child, judge = parts
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "work").mkdir()
    before = judge.snapshot(tmp_path, ("work",))
    changes, files, message = HARM[name]
    for file, content in files.items():
        path = tmp_path / file
        path.unlink() if content is None else path.write_text(content)
    (tmp_path / "work" / "file").write_text("")
    honest = child.Outcome(0, "", 1.0, 2**20)
    good = dict(code=1, text="error: no", cpu=1.0, memory=2**20)
    hostile = attack.Attack("csv", "a file", lambda path, world: None, ".csv")
    after = judge.snapshot(tmp_path, ("work",))
    found = judge.faults(hostile, child.Outcome(**good | changes), honest, before, after, False)
    assert len(found) == 1 and re.search(message, found[0])
    assert not judge.faults(hostile, child.Outcome(**good), honest, before, before, False)


def test_a_program_goes_with_who_watches_it(parts, tmp_path, monkeypatch):
    _, child, _ = parts

    def tell_and_wait():
        (tmp_path / "number").write_text(str(os.getpid()))
        signal.pause()

    def interrupted(seconds):
        while not ((tmp_path / "number").exists() and (tmp_path / "number").read_text()):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(child.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.run_forked(tell_and_wait, tmp_path / "log", tmp_path, 60)
    number = int((tmp_path / "number").read_text())
    assert os.WTERMSIG(os.waitpid(number, 0)[1]) == signal.SIGKILL


def test_a_long_series_goes_on_where_the_time_was_over(parts, monkeypatch):
    from hostile_parts import session

    every = session.chosen(["checkpoint"], None, short=False)
    assert list(every) == list(range(85))
    assert list(session.chosen(["checkpoint"], None, False, first=80)) == list(range(80, 85))
    monkeypatch.setattr(session.Session, "__init__", lambda self: None)
    monkeypatch.setattr(session.Session, "_row", lambda *arguments: dict(faults=[]))
    readers = 11
    rows, left = session.Session().run(every, False, False, minutes=1e-9)
    assert len(rows) == readers and left == 1
    rows, left = session.Session().run(every, False, False)
    assert len(rows) == 85 * readers and left is None


def test_every_kind_has_attacks_and_readers(parts):
    from hostile_parts import entries, session

    kinds = {attack.kind for attack in session.all_attacks()}
    assert kinds == {entry.kind for entry in entries.entries()} == set(session._HONEST)
    names = [(attack.kind, attack.name) for attack in session.all_attacks()]
    assert len(names) > 250 and len(set(names)) == len(names)
    assert Path(session.__file__).parent.name == "hostile_parts"
