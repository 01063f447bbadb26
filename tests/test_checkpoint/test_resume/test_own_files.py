"""A run removes what it has written, and nothing else, whatever a checkpoint says."""

import shutil
import warnings

import pytest
from helpers.hostile_checkpoint import changed_checkpoint
from helpers.interrupted_run import AT, resume
from helpers.tiny_loops import make_runner
from mmengine.hooks import CheckpointHook

from mmreid_ext.checkpoint.resume.own_files import has_own_name, is_own_file

BEST = dict(by_epoch=False, interval=1, save_best="score", rule="greater")
TWO = dict(BEST, save_best=["score", "loss"], rule="greater")


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("kind", ["file", "folder", "own folder", "other name"])
def test_no_path_of_a_checkpoint_is_removed(tmp_path, folder, kind):
    victim = tmp_path / "victim"
    if kind == "file":
        victim.write_text("precious")
    elif kind == "folder":
        victim.mkdir()
        (victim / "best_score_iter_2.pth").write_text("precious")
    else:
        victim = tmp_path / "run" / ("best_score_iter_2.pth" if kind == "own folder" else "a.pth")
        victim.parent.mkdir()
        if kind == "own folder":
            victim.mkdir()
        else:
            victim.write_text("precious")
    path = ("message_hub", "runtime_info", "best_ckpt")
    file = changed_checkpoint(
        folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=str(victim)
    )
    resume(tmp_path / "run", file, save_best=True)
    assert next((tmp_path / "run").glob("best_score_iter_*.pth"))
    assert victim.exists()


@pytest.mark.parametrize("published", [None, ["meta", "state_dict"]])
def test_a_copied_folder_leaves_the_original_alone(tmp_path, monkeypatch, published):
    from helpers.tiny_loops import ScoreByHeart

    hooks = dict(checkpoint=dict(type="CheckpointHook", **BEST, published_keys=published))
    make_runner(tmp_path / "a", default_hooks=hooks).train()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    before = sorted(path.name for path in (tmp_path / "a").glob("*.pth"))
    monkeypatch.setattr(ScoreByHeart, "SCORES", (9.0,))
    longer = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9, val_interval=1)
    make_runner(tmp_path / "b", resume=True, default_hooks=hooks, train_cfg=longer).train()
    assert sorted(path.name for path in (tmp_path / "a").glob("*.pth")) == before
    own = [path.name for path in (tmp_path / "b").glob("best_score_iter_?.pth")]
    assert len(own) == 1 and own[0] not in before


@pytest.mark.parametrize("inside", [False, True])
def test_numbers_of_a_checkpoint_remove_only_what_the_run_wrote(tmp_path, folder, inside):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("iter_1.pth", "iter_2.pth", "epoch_1.pth"):
        (run / name).write_text("old")
    path = ("message_hub", "runtime_info", "keep_ckpt_ids")
    place = (run if inside else tmp_path) / "x.pth"
    file = changed_checkpoint(folder / f"iter_{AT}.pth", place, *path, value=[1, 2, 3])
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, max_keep_ckpts=2)
    resume(run, file, default_hooks=dict(checkpoint=hook))
    names = {path.name for path in run.glob("*.pth")}
    left = {"x.pth"} if inside else {"iter_1.pth", "iter_2.pth"}  # another folder's numbers
    assert names == {"epoch_1.pth", "iter_4.pth", "iter_5.pth", *left}


def test_a_folder_with_the_name_of_a_checkpoint_stays(tmp_path, folder):
    (tmp_path / "run" / "iter_1.pth").mkdir(parents=True)
    path = ("message_hub", "runtime_info", "keep_ckpt_ids")
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=[1, 2])
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, max_keep_ckpts=1)
    resume(tmp_path / "run", file, default_hooks=dict(checkpoint=hook))
    assert (tmp_path / "run" / "iter_1.pth").is_dir()


@pytest.mark.parametrize(
    "settings, name, own",
    [
        (BEST, "iter_12.pth", True),
        (BEST, "best_score_iter_12.pth", True),
        (BEST, "best_other_iter_12.pth", False),
        (BEST, "iter_12.pth.bak", False),
        (BEST, "my_iter_12.pth", False),
        (BEST, "iter_.pth", False),
        (BEST, "..", False),
        (TWO, "best_loss_iter_3.pth", True),
        (dict(BEST, save_best="auto"), "best_market_mAP_iter_3.pth", True),
        (dict(BEST, save_best="auto"), "best_friends.pth", False),
        (dict(BEST, save_best="market/mAP"), "best_market_mAP_iter_3.pth", True),
        (dict(BEST, filename_tmpl="m{:04d}.pth"), "m0003.pth", True),
        (dict(BEST, filename_tmpl="m{:04d}.pth"), "m3.pth", False),
    ],
)
def test_names_that_a_hook_gives(settings, name, own):
    assert has_own_name(CheckpointHook(**settings), name) == own


def test_places_that_a_hook_writes_to(tmp_path):
    hook = CheckpointHook(**BEST)
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (f"{tmp_path}/iter_1.pth", f"{tmp_path}/link/iter_1.pth"):
        assert is_own_file(hook, str(tmp_path), path)
    for path in (f"{tmp_path}/below/iter_1.pth", f"{tmp_path}/../iter_1.pth", "iter_1.pth"):
        assert not is_own_file(hook, str(tmp_path), path)
    assert is_own_file(hook, "s3://bucket/run", "s3://bucket/run/iter_1.pth")
    assert not is_own_file(hook, "s3://bucket/run", "s3://bucket/other/iter_1.pth")
    assert not is_own_file(hook, "s3://bucket/run", "/run/iter_1.pth")
