"""How a save ended is told on all ranks, and never lost."""

from pathlib import Path

import pytest
from helpers.distributed import run_distributed
from helpers.tiny_loops import ITERS, Interrupted, make_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint.saving import around_hook, save_now
from mmreid_ext.errors import UserError

WRAPPER = dict(
    model_wrapper_cfg=dict(
        type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
    )
)


def hook(**settings):
    first = dict(type="CheckpointHook", by_epoch=False, interval=1, background=True)
    return dict(default_hooks=dict(checkpoint=first | settings))


def full_for(name):
    """Let the disk be full for one file."""
    write = around_hook.write_checkpoint

    def write_others(plain, path):
        if path.endswith(name):
            raise OSError(28, "No space left on device")
        write(plain, path)

    around_hook.write_checkpoint = write_others


class Ask(Hook):
    priority = "LOWEST"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == 4:
            self.path = save_now(runner)
            self.there = Path(self.path).read_bytes()[:2] == b"PK"
            raise Interrupted


def on_two_ranks(rank, world_size, folder, background):
    settings = dict(launcher="pytorch", cfg=WRAPPER, log_level="CRITICAL")
    best = hook(save_best="score", rule="greater", background=background)
    full_for("best_score_iter_2.pth")
    # Of all ranks: were the score forgotten on rank 0 only, it would wait alone for the next.
    runner = make_runner(f"{folder}/best", **settings, **best)
    runner.train()
    best_of_all = runner.message_hub.get_info("best_ckpt")
    asked, ask = make_runner(f"{folder}/now", **settings, **hook(background=background)), Ask()
    asked.register_hook(ask)
    with pytest.raises(Interrupted):
        asked.train()
    full_for("iter_4.pth")
    again = make_runner(f"{folder}/full", **settings, **hook(background=background))
    again.register_hook(Ask())
    with pytest.raises(UserError, match=f"iteration {4}") as error:
        again.train()
    return best_of_all, ask.path, ask.there, str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("background", [False, True])
def test_ranks_agree(tmp_path, background):
    for best, path, there, error in run_distributed(on_two_ranks, 2, str(tmp_path), background):
        assert best.endswith("best_score_iter_4.pth")
        assert path.endswith("now/iter_4.pth") and there
        assert "DISK FULL" in error
    assert not (tmp_path / "full" / "iter_4.pth").exists()


def test_full_disk_in_the_background_is_told_at_the_next_iteration(tmp_path, monkeypatch):
    monkeypatch.setattr(around_hook, "write_checkpoint", around_hook.write_checkpoint)
    full_for("iter_2.pth")
    runner = make_runner(tmp_path, **hook(disk_full="stop", interval=2))
    with pytest.raises(UserError, match="DISK FULL.*iteration 2"):
        runner.train()
    assert runner.iter <= 3


def test_error_of_a_run_that_fails_anyhow_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(around_hook, "write_checkpoint", around_hook.write_checkpoint)
    full_for("iter_3.pth")
    runner = make_runner(tmp_path, **hook())

    class Fail(Hook):
        priority = "LOWEST"

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter + 1 == 3:
                raise Interrupted

    runner.register_hook(Fail())
    with pytest.warns(UserWarning, match="DISK FULL.*iteration 3"), pytest.raises(Interrupted):
        runner.train()


def test_run_that_ends_well_has_all_its_files(tmp_path):
    make_runner(tmp_path, **hook()).train()
    assert len(list(tmp_path.glob("iter_*.pth"))) == ITERS
