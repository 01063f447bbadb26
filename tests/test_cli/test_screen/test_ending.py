"""The last lines: files that are there, and commands that work."""

import shlex
from types import SimpleNamespace

import pytest
from helpers.tools import load_tool

from mmreid_ext.cli.screen.ending import ending, how_to_resume


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scalars = tmp_path / "work" / "log" / "vis_data" / "scalars.json"
    scalars.parent.mkdir(parents=True)
    scalars.touch()
    logger = SimpleNamespace(log_file=str(tmp_path / "work" / "log" / "run.log"))
    work = str(tmp_path / "work")
    return SimpleNamespace(work_dir=work, _log_dir=f"{work}/log", logger=logger, world_size=1)


def save(tmp_path, *names):
    for name in names:
        (tmp_path / "work" / name).touch()
    (tmp_path / "work" / "last_checkpoint").write_text(f"/elsewhere/{names[0]}")


def test_a_training_that_was_finished(runner, tmp_path):
    save(tmp_path, "iter_9.pth", "best_mAP_iter_3.pth")
    lines = dict(line.split(maxsplit=1) for line in ending(runner, "my config.py").splitlines()[1:])
    assert lines["log"] == "work/log/run.log"
    assert lines["scalars"] == "work/log/vis_data/scalars.json"
    assert lines["checkpoint"] == "work/iter_9.pth"
    assert lines["best"] == "work/best_mAP_iter_3.pth"
    assert shlex.split(lines["next"]) == [
        *("python", "tools/test.py", "my config.py", "work/iter_9.pth", "--out", "results.json")
    ]
    assert lines["or"].endswith("tools/search.py QUERY --gallery PHOTOS --model work/iter_9.pth")
    load_tool("search")  # which is there


def test_without_a_checkpoint_there_is_no_command(runner):
    assert "next" not in ending(runner, "config.py")


def test_interrupted(runner, tmp_path):
    assert "nothing is left to resume" in how_to_resume(runner, ["config.py"])
    save(tmp_path, "iter_4.pth")
    for arguments in (["config.py"], ["config.py", "--resume"]):
        text = how_to_resume(runner, arguments)
        assert "work/iter_4.pth" in text
        assert text.endswith("\n  python tools/train.py config.py --resume")


def test_interrupted_on_several_ranks(runner, tmp_path):
    save(tmp_path, "iter_4.pth")
    runner.world_size = 2
    text = how_to_resume(runner, ["config.py", "--launcher", "pytorch", "--amp"])
    assert text.endswith("\n  tools/dist_train.sh config.py 2 --amp --resume")
