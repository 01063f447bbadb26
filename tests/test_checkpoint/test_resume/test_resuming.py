"""A run goes on exactly as it was, or it stops and says why."""

import pytest
import torch
from helpers.interrupted_run import AT, CHANGES, adam, resume
from helpers.tiny_loops import ITERS, make_runner

from mmreid_ext.checkpoint import safe_load, to_plain
from mmreid_ext.checkpoint.resume.run_record import KEY
from mmreid_ext.errors import MissingFileError, UserError

FILES = {
    "best": (None, "holds no optimizer.*best_"),
    "no optimiser": (lambda c: c.pop("optimizer"), "holds no optimizer"),
    "no schedules": (lambda c: c.pop("param_schedulers"), "holds no param_schedulers"),
    "no messages": (lambda c: c.pop("message_hub"), "holds no message_hub"),
    "no progress": (lambda c: c["meta"].pop("iter"), "meta with iter and epoch"),
    "weights only": (lambda c: c["state_dict"], "holds no optimizer"),
    "a list": (lambda c: [1, 2], r"changed\.pth holds a list, no checkpoint"),
}


@pytest.mark.parametrize("name", FILES)
def test_file_without_a_part_of_the_run_is_refused(tmp_path, folder, name):
    change, message = FILES[name]
    file = next(folder.glob("best_*.pth"))
    if change is not None:
        checkpoint = safe_load(folder / f"iter_{AT}.pth")
        changed = change(checkpoint)
        checkpoint = changed if name in ("weights only", "a list") else checkpoint
        file = tmp_path / "changed.pth"
        torch.save(to_plain(checkpoint), file)
    with pytest.raises(UserError, match=message):
        resume(tmp_path / "run", file)


@pytest.mark.parametrize("resume_it", [True, False])
@pytest.mark.parametrize("content", [b"", b"no checkpoint", "half"])
def test_given_file_that_is_no_checkpoint_is_named(tmp_path, folder, content, resume_it):
    whole = (folder / f"iter_{AT}.pth").read_bytes()
    file = tmp_path / "given.pth"
    file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    runner = make_runner(tmp_path / "run", resume=resume_it, load_from=str(file))
    with pytest.raises(UserError, match="given.pth") as error:
        runner.train()
    assert "\n" not in str(error.value)


def test_missing_file_and_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.pth"):
        resume(tmp_path, tmp_path / "nowhere.pth")
    read = []
    runner = make_runner(tmp_path / "empty", resume=True)
    runner.build_train_loop = lambda *_: read.append(1)
    with pytest.raises(MissingFileError, match=r"nothing to resume in .*empty.*without resume"):
        runner.train()
    assert not read  # found before the data


def test_loading_weights_alone_on_request_is_allowed(tmp_path, folder):
    runner = make_runner(tmp_path, **adam(lr=0.5))
    runner.resume(
        str(folder / f"iter_{AT}.pth"), resume_optimizer=False, resume_param_scheduler=False
    )
    assert runner.iter == AT


def test_finished_run_says_so(tmp_path, folder):
    with pytest.warns(UserWarning, match=f"the end of the run .iteration {ITERS} of {ITERS}"):
        resume(tmp_path, folder / f"iter_{ITERS}.pth", save_best=True)


def test_second_start_in_a_folder_says_so(tmp_path):
    make_runner(tmp_path).train()
    with pytest.warns(UserWarning, match=r"checkpoints of an earlier run .iter_5\.pth.*--resume"):
        make_runner(tmp_path).train()


def test_other_number_of_ranks_is_accepted_if_the_global_batch_is_the_same(tmp_path, folder):
    checkpoint = safe_load(folder / f"iter_{AT}.pth")
    checkpoint["meta"][KEY]["world_size"] = 2
    torch.save(to_plain(checkpoint), tmp_path / "two_ranks.pth")
    assert resume(tmp_path / "run", tmp_path / "two_ranks.pth").iter == ITERS


def test_file_from_before_the_record_is_resumed(tmp_path, folder):
    checkpoint = safe_load(folder / f"iter_{AT}.pth")
    del checkpoint["meta"][KEY]
    torch.save(to_plain(checkpoint), tmp_path / "old.pth")
    assert resume(tmp_path / "run", tmp_path / "old.pth").iter == ITERS
    with pytest.raises(UserError, match="knows no momentum"):
        settings, _ = CHANGES["SGD for Adam"]
        resume(tmp_path / "sgd", tmp_path / "old.pth", **settings)


def test_text_that_mmengine_would_execute_is_not(tmp_path, folder):
    checkpoint = safe_load(folder / f"iter_{AT}.pth")
    mark = tmp_path / "executed"
    checkpoint["meta"]["config"] = f"open({str(mark)!r}, 'w').close()"
    torch.save(to_plain(checkpoint), tmp_path / "evil.pth")
    resume(tmp_path / "run", tmp_path / "evil.pth")
    assert not mark.exists()
