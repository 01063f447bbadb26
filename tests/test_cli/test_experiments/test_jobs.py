"""Runs are done once, side by side, and their failures are kept apart."""

import json
import time

import pytest

from mmreid_ext.cli.experiments.jobs import OUTPUT, do_runs
from mmreid_ext.cli.experiments.places import Place
from mmreid_ext.cli.experiments.plan import Commands, Run
from mmreid_ext.errors import UserError

TRAIN = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--work-dir") + 1])
begun = folder.parent / f"{folder.name}.begun"
begun.write_text(" ".join(sys.argv))
if "a=together" in sys.argv:  # ends only if two of them run at the same time
    end = time.monotonic() + 20
    while len(list(folder.parent.glob("*.begun"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
if "a=bad" in sys.argv:
    print("one\\ntwo")
    sys.exit("error: bad")
(folder / "last_checkpoint").write_text("iter_1.pth")
"""
TEST = """
import pathlib, sys
print("testing")
pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).write_text("{}")
"""


@pytest.fixture
def run_of(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "test.py").write_text(TEST)

    def run(title, *options):
        return Run(title, 1, tmp_path / title, options, {"a": 1}, Commands(tmp_path, "c.py"))

    return run


def test_finished_runs_are_not_repeated(run_of, capfd):
    lines = []
    runs = [run_of("x"), run_of("y")]
    assert do_runs(runs, [Place()], False, lines.append) == {}
    assert lines == ["x: training", "[1/2] x: done", "y: training", "[2/2] y: done"]
    assert json.loads((runs[0].folder / "request.json").read_text())["a"] == 1
    assert "testing" in capfd.readouterr().out, "a single one writes on the terminal"
    runs[1].results.unlink()
    lines.clear()
    assert do_runs(runs, [Place()], False, lines.append) == {}
    assert lines[0].endswith("results.json exists, not repeated") and lines[1] == "y: training"
    begun = runs[1].folder.parent / "y.begun"
    assert "--resume" in begun.read_text(), "its training had ended, its test had not"


def test_two_at_a_time_and_their_output_apart(run_of, capfd):
    runs = [run_of(title, "a=together") for title in ("x", "y")]
    lines = []
    assert do_runs(runs, [Place(), Place()], False, lines.append) == {}
    assert all((run.folder / OUTPUT).read_text() == "testing\n" for run in runs)
    assert capfd.readouterr().out == "" and len(lines) == 4
    assert any(line.startswith("x: training (its output: ") for line in lines)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_stops_all_or_is_kept(run_of, jobs):
    runs = [run_of("x", "a=bad"), run_of("y"), run_of("z")]
    lines = []
    failed = do_runs(runs, [Place()] * jobs, True, lines.append)
    assert list(failed) == ["x"] and "ended with status 1" in failed["x"]
    assert runs[1].results.is_file() and runs[2].results.is_file()
    assert ("error: bad" in failed["x"]) == (jobs == 2), "of an own file the end is shown"
    with pytest.raises(UserError, match=r"a=bad ended with status 1"):
        do_runs([run_of("x", "a=bad"), run_of("w")], [Place()] * jobs, False, lines.append)


def test_ctrl_c_says_how_to_go_on(run_of):
    def say(text):
        if text.startswith("["):
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        do_runs([run_of("x"), run_of("y"), run_of("z")], [Place()], False, say)
    assert not run_of("z").results.is_file() and time.monotonic() - began < 20
