"""The best checkpoint of a run that is resumed."""

import warnings

import pytest
from helpers.interrupted_run import (
    AT,
    resume,
)
from helpers.tiny_loops import ITERS, make_runner


def test_best_score_of_another_metric_is_forgotten(tmp_path, folder):
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, save_best="score", rule="less")
    settings = dict(default_hooks=dict(checkpoint=hook))
    with pytest.warns(UserWarning, match=r"save_best was score .greater., is score .less."):
        resume(tmp_path, folder / f"iter_{AT}.pth", **settings)
    assert next(tmp_path.glob("best_*.pth"))  # 3.0 is no less than the 1.0 at the break


def test_best_file_of_a_moved_folder_is_replaced(tmp_path):
    run, moved = tmp_path / "run", tmp_path / "moved"
    make_runner(run, save_best=True).train()
    (run / f"iter_{ITERS}.pth").unlink()
    run.rename(moved)
    assert [file.name for file in moved.glob("best_*.pth")] == ["best_score_iter_4.pth"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        longer = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9, val_interval=1)
        make_runner(moved, save_best=True, resume=True, train_cfg=longer).train()
    assert [file.name for file in moved.glob("best_*.pth")] == ["best_score_iter_9.pth"]
