"""Wherever a run is killed, it ends bit for bit as if it hadn't been.

Every state that the disk was in is a place of interruption: each version of each checkpoint, before
and after the validation of its iteration.
"""

from itertools import product
from pathlib import Path

import pytest
from helpers.equal_states import assert_same
from helpers.tiny_loops import EPOCHS, ITERS, ITERS_PER_EPOCH, Interrupted, StopAfter, make_runner
from mmengine.hooks import EMAHook, Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.resume.run_record import KEY
from mmreid_ext.checkpoint.saving import around_hook


class Count(Hook):
    """How often each iteration and each validation was run."""

    def __init__(self):
        self.steps, self.validations = [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.steps.append((runner.iter, data_batch["pid"].tolist(), outputs["loss"]))

    def before_val(self, runner):
        self.validations.append(runner.iter)


def train(folder, **settings):
    runner, count = make_runner(folder, **settings), Count()
    runner.register_hook(count)
    runner.train()
    return runner, count


def final_state(runner):
    return dict(
        model=runner.model.state_dict(),
        optimizer=runner.optim_wrapper.state_dict(),
        schedules=[schedule.state_dict() for schedule in runner.param_schedulers],
        progress=(runner.iter, runner.epoch),
        best=runner.message_hub.runtime_info.get("best_score"),
    )


@pytest.fixture
def versions(monkeypatch, tmp_path):
    """Every checkpoint ever written that a run can go on from, also those overwritten since."""
    kept, write = [], around_hook.write_checkpoint

    def write_and_keep(plain, path):
        write(plain, path)
        if not Path(path).name.startswith("best"):
            kept.append(tmp_path / f"version_{len(kept)}.pth")
            kept[-1].write_bytes(Path(path).read_bytes())

    monkeypatch.setattr(around_hook, "write_checkpoint", write_and_keep)
    return kept


NAMES = ("epochs", "plateau", "save_best", "by_epoch")


@pytest.mark.parametrize("values", product([False, True], repeat=4))
def test_resumed_run_equals_an_undisturbed_one(tmp_path, versions, values):
    settings = dict(zip(NAMES, values, strict=True))
    whole, expected = train(tmp_path / "whole", **settings)
    files = list(versions)
    assert len(files) >= (1 if settings["by_epoch"] and not settings["epochs"] else EPOCHS)
    for file in files:
        meta = safe_load(file)["meta"]
        runner, count = train(
            tmp_path / f"from_{file.stem}", resume=True, load_from=str(file), **settings
        )
        where = f"{file.stem}: iteration {meta['iter']}, validated={meta[KEY]['validated']}"
        assert_same(final_state(runner), final_state(whole), where)
        assert count.steps == expected.steps[meta["iter"] :], where
        done = meta["iter"] + (0 if meta[KEY]["validated"] else -1)
        assert count.validations == [i for i in expected.validations if i > done], where


def test_both_moments_of_a_checkpoint_occur(tmp_path, versions):
    train(tmp_path, plateau=True, save_best=True)
    moments = [safe_load(file)["meta"] for file in versions]
    assert {(meta["iter"], meta[KEY]["validated"]) for meta in moments} >= {(2, False), (2, True)}


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("stopped_at", [1, 2, 4])
def test_killed_run_finds_its_checkpoint(tmp_path, epochs, stopped_at):
    settings = dict(epochs=epochs, plateau=True, save_best=True)
    whole, expected = train(tmp_path / "whole", **settings)
    runner = make_runner(tmp_path / "killed", **settings)
    runner.register_hook(StopAfter(stopped_at))
    with pytest.raises(Interrupted):
        runner.train()
    resumed, count = train(tmp_path / "killed", resume=True, **settings)
    assert_same(final_state(resumed), final_state(whole))
    assert count.steps == expected.steps[stopped_at:]


def test_longer_run_continues_a_schedule_that_ends_with_it(tmp_path):
    """Milestones behind the former end count; MMEngine would keep the former end."""
    schedule = [dict(type="MultiStepLR", by_epoch=False, milestones=[2, 7], gamma=0.5)]
    longer = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9)
    whole, _ = train(tmp_path / "whole", param_scheduler=schedule, train_cfg=longer)
    train(tmp_path / "short", param_scheduler=schedule)
    file = str(tmp_path / "short" / f"iter_{ITERS - 1}.pth")
    settings = dict(param_scheduler=schedule, train_cfg=longer, resume=True, load_from=file)
    resumed, _ = train(tmp_path / "longer", **settings)
    assert_same(final_state(resumed), final_state(whole))


def test_schedules_that_keep_functions_are_saved(tmp_path):
    schedule = [dict(type="OneCycleLR", by_epoch=False, eta_max=0.1, total_steps=ITERS)]
    whole, _ = train(tmp_path / "whole", param_scheduler=schedule)
    file = str(tmp_path / "whole" / "iter_2.pth")
    settings = dict(param_scheduler=schedule, resume=True, load_from=file)
    resumed, _ = train(tmp_path / "resumed", **settings)
    assert_same(resumed.model.state_dict(), whole.model.state_dict())


def test_epoch_is_continued_with_a_sampler_that_can_not_be_told_where_to_start(tmp_path):
    loader = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type="default_collate"),
        dataset=dict(type="mmreid_ext.TwelvePictures"),
        sampler=dict(type="DefaultSampler", shuffle=True),
    )
    settings = dict(epochs=True, train_dataloader=loader)
    whole, expected = train(tmp_path / "whole", **settings)
    file = tmp_path / "whole" / f"iter_{ITERS_PER_EPOCH + 1}.pth"
    resumed, count = train(tmp_path / "resumed", resume=True, load_from=str(file), **settings)
    assert count.steps == expected.steps[ITERS_PER_EPOCH + 1 :]
    assert_same(final_state(resumed), final_state(whole))


@pytest.mark.parametrize("epochs", [False, True])
def test_averaged_weights_are_continued(tmp_path, versions, epochs):
    settings = dict(epochs=epochs, save_best=True, custom_hooks=[dict(type="EMAHook")])
    whole, _ = train(tmp_path / "whole", **settings)
    for file in list(versions):
        settings |= dict(resume=True, load_from=str(file))
        runner, _ = train(tmp_path / f"from_{file.stem}", **settings)
        averaged = [average(run).state_dict() for run in (runner, whole)]
        assert_same(*averaged, file.stem)
        assert_same(final_state(runner), final_state(whole), file.stem)


def average(runner):
    return next(hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))


@pytest.mark.parametrize("plateau", [False, True])
def test_older_checkpoints_repeat_a_validation_only_for_a_schedule_that_reads_it(tmp_path, plateau):
    runner = make_runner(tmp_path, plateau=plateau)
    loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    loop.restore_progress(None)
    assert loop.validated is not plateau
    assert bool(loop.run_settings()) is plateau
