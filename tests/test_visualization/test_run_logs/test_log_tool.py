"""The command line draws and lists logs."""

import pytest
from helpers.tools import run_tool


def test_runs_are_drawn_and_listed(seeds, monkeypatch, capsys):
    run_tool("plot_log", monkeypatch, seeds)
    assert (seeds / "curves.png").read_bytes().startswith(b"\x89PNG")
    out = seeds / "two.svg"
    names = ["--names", "all", "first", "--keys", "loss"]
    run_tool("plot_log", monkeypatch, seeds, seeds / "seed_0", "--out", out, *names)
    assert "all (3 seeds)" in out.read_text()
    capsys.readouterr()
    run_tool("plot_log", monkeypatch, seeds / "seed_1", "--list")
    assert "a/mAP: 1 value, from 52 to 52\n" in capsys.readouterr().out


def test_what_was_not_logged_is_named(seeds, monkeypatch, capsys):
    with pytest.raises(SystemExit, match="--keys lost: nothing of that name.*there are lr, time"):
        run_tool("plot_log", monkeypatch, seeds, "--keys", "lost")
    with pytest.raises(SystemExit, match="--names: 2 names for 1 runs"):
        run_tool("plot_log", monkeypatch, seeds, "--names", "a", "b")
    (log,) = (seeds / "seed_0").rglob("scalars.json")
    log.write_text(log.read_text() + '{"loss": ')
    run_tool("plot_log", monkeypatch, seeds, "--list")
    assert "Note: 1 lines can't be read" in capsys.readouterr().out
