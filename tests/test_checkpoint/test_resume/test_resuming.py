"""A run goes on exactly as it was, or it stops and says why."""

import warnings

import pytest
import torch
from helpers.tiny_loops import ITERS, ScoreByHeart, TinyNet, make_runner
from helpers.tiny_reid import tiny_runner
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn

from mmreid_ext.checkpoint import atomic_open, safe_load, to_plain
from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.checkpoint.resume.run_record import KEY, changes, describe_run, flatten
from mmreid_ext.errors import DivergenceError, MissingFileError, UserError

AT = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a run with checkpoints at every iteration, and a best one."""
    folder = tmp_path_factory.mktemp("run")
    make_runner(folder, save_best=True).train()
    return folder


def resume(tmp_path, file, **settings):
    runner = make_runner(tmp_path, resume=True, load_from=str(file), **settings)
    runner.train()
    return runner


def adam(**settings):
    return dict(optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01) | settings))


def linear(**settings):
    schedule = dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=3)
    return dict(param_scheduler=[schedule | settings])


def loader(batch_size=4, dataset=None, **sampler):
    sampler = dict(dict(num_instances=2, strategy="exhaustive_drop"), **sampler)
    return dict(
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=0,
            drop_last=True,
            collate_fn=dict(type="default_collate"),
            dataset=dict(type="mmreid_ext.TwelvePictures", **(dataset or {})),
            sampler=dict(type="mmreid_ext.PKSampler", **sampler),
        )
    )


def mmengine_loader():
    settings = loader()
    settings["train_dataloader"]["sampler"]["batch_size"] = 4
    return settings


class OtherNet(TinyNet):
    def __init__(self):
        super().__init__()
        self.more = nn.Linear(3, 3)


CHANGES = {
    "SGD for Adam": (dict(optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01))), "was Adam, is"),
    "AdamW for Adam": (adam(type="AdamW"), "optimizer.type was Adam, is AdamW"),
    "learning rate": (adam(lr=0.02), r"optimizer\.lr was 0.01, is 0.02"),
    "decay": (adam(weight_decay=0.1), r"optimizer\.weight_decay was 0, is 0.1"),
    "momenta": (adam(betas=(0.8, 0.999)), r"optimizer\.betas\.0 was 0.9, is 0.8"),
    "precision": (
        dict(
            optim_wrapper=dict(
                type="mmreid_ext.BFloat16OptimWrapper", optimizer=dict(type="Adam", lr=0.01)
            )
        ),
        "optim_wrapper.type was OptimWrapper, is BFloat16",
    ),
    "clipping": (
        dict(
            optim_wrapper=dict(
                optimizer=dict(type="Adam", lr=0.01), clip_grad=dict(max_norm=1.0)
            )
        ),
        "clip_grad.max_norm was not set, is 1.0",
    ),
    "accumulation": (
        dict(
            optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01), accumulative_counts=3)
        ),
        "accumulative_counts was 1, is 3",
    ),
    "length of the warm-up": (linear(end=5), r"param_scheduler\.0\.total_iters was 2, is 4"),
    "beginning of the warm-up": (linear(start_factor=0.2), "start_factor was 0.1, is 0.2"),
    "another schedule": (
        dict(param_scheduler=[dict(type="MultiStepLR", by_epoch=False, milestones=[4])]),
        r"param_scheduler\.0\.milestones",
    ),
    "no schedule": (dict(param_scheduler=None), "had 1 schedules, there are 0"),
    "a second schedule": (
        dict(
            param_scheduler=[
                *linear()["param_scheduler"],
                dict(type="StepLR", by_epoch=False, step_size=2),
            ]
        ),
        "had 1 schedules, there are 2",
    ),
    "seed": (dict(randomness=dict(seed=4)), "seed .* was 3, is 4"),
    "batch size": (loader(batch_size=6), r"batch_size \(of all ranks\) was 4, is 6"),
    "images per identity": (
        loader(num_instances=1), "num_instances was 2, is 1",
    ),
    "order": (loader(strategy="exhaustive_top_up"), "strategy was exhaustive_drop, is"),
    "data": (loader(dataset=dict(first_pid=1)), r"dataset\.pids \(checksum\) was"),
    "loop": (
        dict(
            train_cfg=dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=5),
            param_scheduler=linear()["param_scheduler"],
        ),
        "train_cfg.type was ReIDTrainLoop, is ReIDEpochTrainLoop",
    ),
    "MMEngine's loop": (
        dict(
            train_cfg=dict(type="mmengine.IterBasedTrainLoop", max_iters=ITERS),
            **mmengine_loader(),
        ),
        "train_cfg.type was ReIDTrainLoop, is IterBasedTrainLoop",
    ),
    "length": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=2)),
        "written after iteration 3, this run ends at 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_changed_setting_is_refused_with_its_name(tmp_path, folder, name):
    settings, message = CHANGES[name]
    with pytest.raises(UserError, match=message) as error:
        resume(tmp_path, folder / f"iter_{AT}.pth", **settings)
    assert "load_from" in str(error.value) or "train_cfg.max_iters" in str(error.value)


PLATEAU = {
    "interval": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=ITERS, val_interval=3)),
        r"train_cfg\.val_interval was 2, is 3",
    ),
    "patience": (
        dict(
            param_scheduler=[
                linear()["param_scheduler"][0],
                dict(type="ReduceOnPlateauLR", monitor="score", rule="greater", patience=1),
            ]
        ),
        r"param_scheduler\.1\.patience was 0, is 1",
    ),
    "length, after a validation at the former end": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9, val_interval=2)),
        r"validation at the end of the shorter run \(5\)",
    ),
}


@pytest.mark.parametrize("name", PLATEAU)
def test_changed_setting_is_refused_where_a_schedule_reads_validations(tmp_path, monkeypatch, name):
    settings, message = PLATEAU[name]
    monkeypatch.setattr(ScoreByHeart, "SCORES", (0.0, 5.0, 4.0, 3.0, 2.0, 1.0))  # always better
    run = dict(plateau=True, save_best=True)
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, save_best="score", rule="less")
    hooks = dict(default_hooks=dict(checkpoint=hook))
    make_runner(tmp_path / "a", **run, **hooks).train()
    with pytest.raises(UserError, match=message):
        file = tmp_path / "a" / f"iter_{ITERS}.pth"
        resume(tmp_path / "b", file, **(run | hooks | settings))


def test_another_network_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match=r"another model: more\.weight is missing"):
        resume(tmp_path, folder / f"iter_{AT}.pth", model=OtherNet())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=8, val_interval=3)),
        dict(randomness=dict(seed=None)),
        linear(end=3),
    ],
)
def test_what_changes_nothing_is_accepted(tmp_path, folder, settings):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="resume")
        runner = resume(tmp_path, folder / f"iter_{AT}.pth", **settings)
    assert runner.iter == settings.get("train_cfg", {}).get("max_iters", ITERS)


GATES = dict(
    gate_lr=0.5,
    inner_ratio=dict(low=0.05, high=0.2, period=4),
    num_train_domains=1,
    loss_sets="multi_source",
    straight_through=False,
    second_order=True,
    first_base_steps=3,
)


def test_changed_settings_of_the_gates_are_refused(tmp_path):
    save_all = dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1))
    tiny_runner(tmp_path, max_iters=1, default_hooks=save_all).train()
    for name, value in GATES.items():
        runner = tiny_runner(tmp_path, max_iters=2, loop={name: value}, resume=True)
        with pytest.raises(UserError, match=rf"train_cfg\.{name}.* was .*, is ") as error:
            runner.load_or_resume()
        assert "optim" not in str(error.value) and "train_dataloader" not in str(error.value)


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


@pytest.mark.parametrize("had, has", [(False, True), (True, False)])
def test_averaging_is_neither_begun_nor_dropped(tmp_path, had, has):
    hook = [dict(type="EMAHook")]
    make_runner(tmp_path / "a", custom_hooks=hook if had else None).train()
    message = "EMAHook" if had else "holds no ema_state_dict"
    with pytest.raises(UserError, match=message):
        resume(tmp_path / "b", tmp_path / "a" / "iter_2.pth", custom_hooks=hook if has else None)


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


def test_changed_settings_of_the_network_are_told(tmp_path, folder):
    file = tmp_path / "before.pth"
    checkpoint = safe_load(folder / f"iter_{AT}.pth")
    checkpoint["meta"][KEY]["reported"] = flatten(dict(model=dict(type="TinyNet", margin=0.3)))
    torch.save(to_plain(checkpoint), file)
    cfg = Config(dict(model=dict(type="TinyNet", margin=0.5, init_cfg=dict(checkpoint="a"))))
    with pytest.warns(UserWarning, match=r"model\.margin was 0.3, is 0.5"):
        resume(tmp_path / "run", file, cfg=cfg)


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


def test_gradients_that_were_being_collected_can_not_be_resumed(tmp_path):
    wrapper = dict(optimizer=dict(type="Adam", lr=0.01), accumulative_counts=2)
    make_runner(tmp_path / "a", optim_wrapper=wrapper).train()
    with pytest.raises(UserError, match=r"between two steps .*accumulative_counts=2"):
        resume(tmp_path / "b", tmp_path / "a" / "iter_3.pth", optim_wrapper=wrapper)
    assert resume(tmp_path / "c", tmp_path / "a" / "iter_2.pth", optim_wrapper=wrapper)


class Poison(Hook):
    """Spoils a weight in the second step, before the checkpoint of that step."""

    priority = "VERY_HIGH"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 1:
            runner.model.layer.weight.data[0, 0] = float("inf")


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    runner = make_runner(tmp_path)
    runner.register_hook(Poison())
    message = r"after iteration 2: layer\.weight\. No .*iter_1\.pth are finite"
    with pytest.raises(DivergenceError, match=message):
        runner.train()
    assert [file.name for file in tmp_path.glob("*.pth")] == ["iter_1.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_1.pth")


def test_claim_about_the_last_checkpoint_is_checked(tmp_path):
    assert "Start again from the beginning" in what_is_left(str(tmp_path))
    for value, said in ((1.0, "iter_1.pth are finite"), (float("nan"), "no finite weights")):
        torch.save(dict(state_dict=dict(w=torch.tensor([value]))), tmp_path / "iter_1.pth")
        with atomic_open(tmp_path / "last_checkpoint") as file:
            file.write(str(tmp_path / "iter_1.pth"))
        assert said in what_is_left(str(tmp_path))


def test_changes_are_named_in_both_directions():
    before, now = flatten(dict(a=1, b=dict(c=[1, 2]))), flatten(dict(a=2, b=dict(c=[1]), d=None))
    assert changes(before, now) == [
        "a was 1, is 2",
        "d was not set, is None",
        "b.c.1 was 2, is not set",
    ]


def test_description_is_plain(tmp_path):
    runner = make_runner(tmp_path)
    assert describe_run(runner) is None  # nothing is built
    runner.train()
    described = describe_run(runner)
    assert to_plain(described) == described


@pytest.mark.parametrize(
    "schedule",
    [dict(type="LinearLR", start_factor=0.1), dict(type="CosineAnnealingLR", eta_min=0.0)],
)
def test_schedule_whose_course_depends_on_the_length_is_another_one(tmp_path, schedule):
    schedule = dict(param_scheduler=[dict(schedule, by_epoch=False)])
    make_runner(tmp_path / "a", **schedule).train()
    longer = dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9))
    with pytest.raises(UserError, match=r"param_scheduler\.0\.(total_iters|T_max|end) was"):
        resume(tmp_path / "b", tmp_path / "a" / "iter_3.pth", **schedule, **longer)
