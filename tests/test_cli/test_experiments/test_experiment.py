"""The runs of an experiment are planned and checked before anything is trained."""

import pytest

from mmreid_ext.cli.experiments.experiment import (
    check_folders,
    check_trainings,
    plan_experiment,
    read_runs,
)
from mmreid_ext.cli.experiments.plan import Commands
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.results_file import RESULTS_FORMAT, write_results
from mmreid_ext.evaluation.results.seed_runs import write_request


@pytest.fixture
def plan(tmp_path):
    config = tmp_path / "c.py"
    config.write_text(
        "train_cfg = dict(max_iters=4, gate_lr=0.2)\nlog_level = 'INFO'\n"
        "train_dataloader = dict(num_workers=1)\n"
    )
    commands = Commands(tmp_path, str(config))
    return lambda options=(), grid=(): plan_experiment(
        commands, tmp_path / "work", [0, 1], list(options), list(grid)
    )


def test_without_a_grid_there_is_one_setting(plan, tmp_path):
    (only,), plain = plan(["train_cfg.max_iters=5"])
    assert [run.folder for run in only.runs.values()] == [
        tmp_path / "work" / f"seed_{seed}" for seed in (0, 1)
    ]
    assert only.runs[0].title == "seed 0" and only.request == plain
    assert plain["train_cfg.max_iters"] == 5


def test_each_setting_has_its_folder_and_its_request(plan, tmp_path):
    plans, plain = plan(["train_cfg.max_iters=5"], ["gate_lr=0.2,20"])
    assert [p.request["train_cfg.gate_lr"] for p in plans] == [0.2, 20]
    assert plans[0].request == plain != plans[1].request
    run = plans[1].runs[1]
    assert run.title == "gate_lr=20, seed 1"
    assert run.folder == tmp_path / "work" / "gate_lr=20" / "seed_1"
    assert run.options == ("train_cfg.max_iters=5", "train_cfg.gate_lr=20")


@pytest.mark.parametrize(
    "options, grid, text",
    [
        (["train_cfg.gate_lr=1"], ["gate_lr=2,3"], "--cfg-options and --grid set it"),
        ([], ["num_workers=1,2"], "num_workers=1 and num_workers=2 train the same"),
        ([], ["train_cgf.gate_lr=2"], "no key of the configuration ends so"),
        ([], ["env_cfg.x=2"], "nothing reads env_cfg.x"),
    ],
)
def test_what_cannot_be_compared_is_refused(plan, options, grid, text):
    with pytest.raises(UserError, match=text):
        plan(options, grid)


def test_earlier_runs_are_kept_or_deleted(plan):
    plans, _ = plan(grid=["gate_lr=0.2,20"])
    folder = plans[1].runs[0].folder
    write_request(folder, plans[0].request)  # as if the folder had been renamed
    with pytest.raises(UserError, match=r"seed 0 .*gate_lr = 0\.2 / 20"):
        check_folders(plans, False, print)
    said = []
    check_folders(plans, True, said.append)
    assert not folder.exists() and len(said) == 1 and str(folder) in said[0]


def test_results_are_read_by_what_they_record(plan):
    (only,), _ = plan()
    for seed, run in only.runs.items():
        training = dict(seed=seed, config={"gate_lr": 0.2})
        write_results(run.results, dict(format=RESULTS_FORMAT, metrics={}, training=training))
    assert list(read_runs(only, print)) == [0, 1]
    training = dict(seed=1, config={"gate_lr": 20})
    document = dict(format=RESULTS_FORMAT, metrics={}, training=training)
    write_results(only.runs[1].results, document)
    with pytest.raises(UserError, match=r"trained with different settings.*gate_lr = 0\.2 / 20"):
        read_runs(only, print)
    write_results(only.runs[1].results, dict(format=RESULTS_FORMAT, metrics={}))
    notes = []
    read_runs(only, notes.append)
    assert notes == ["Note: seed 1: its results don't say with which seed it was trained"]


def test_two_settings_that_trained_the_same_are_refused():
    found = {name: {0: dict(training=dict(fingerprint=mark))} for name, mark in ("ax", "by")}
    check_trainings(found | {"c": {0: {}}})
    with pytest.raises(UserError, match="a and d: their checkpoints record the same training"):
        check_trainings(found | {"d": found["a"]})
