"""Runs started from Python, in a process that has imported nothing of ours before."""

import os
import subprocess
from pathlib import Path

import pytest
import torch
from helpers.tools import run_python

pytestmark = pytest.mark.slow  # every process imports everything

# torch.load as PyTorch 2.1 to 2.5 has it: pickles are executed unless the caller says otherwise
PREAMBLE = """
import sys
from mmengine.config import Config
import torch
load = torch.load
torch.load = lambda *a, weights_only=False, **k: load(*a, weights_only=bool(weights_only), **k)
from mmengine.runner import Runner

def cfg(**changes):
    settings = dict(
        default_scope="mmpretrain",
        work_dir=sys.argv[1],
        model=dict(type="mmreid_ext.ReIDModel", backbone=dict(type="ResNet", depth=18,
            stem_channels=4, base_channels=4, num_stages=1, strides=(1,), dilations=(1,),
            out_indices=(0,), norm_cfg=dict(type="mmreid_ext.SyncBN")),
            head=dict(type="mmreid_ext.BNNeckHead", num_classes=2, in_channels=4,
            losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")))),
        train_dataloader=dict(batch_size=4, num_workers=0, persistent_workers=True,
            collate_fn=dict(type="mmreid_ext.reid_collate"),
            dataset=dict(type="mmreid_ext.CSVDataset", csv_file="list.csv", data_root=sys.argv[1],
                mode="train", pipeline=[dict(type="LoadImageFromFile"),
                dict(type="mmreid_ext.PackReIDInputs")]),
            sampler=dict(type="mmreid_ext.PKSampler", num_instances=2)),
        train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=2),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9)),
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=2)),
        log_level="ERROR",
    )
    return Config(settings | changes)
"""


@pytest.fixture
def images(tmp_path):
    import cv2
    import numpy as np

    lines = ["path,pid,camid,split"]
    for index in range(8):
        pixels = np.random.default_rng(index).integers(0, 256, (16, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{index}.png"), pixels)
        lines.append(f"{index}.png,{index // 4},{index % 2},train")
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def fresh_process(folder: Path, code: str) -> subprocess.CompletedProcess:
    return run_python(PREAMBLE + code, folder, cwd=folder, timeout=300)


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.mkdir, (str(self.marker),))


def test_a_malicious_checkpoint_is_refused(images):
    executed = images / "executed"
    content = dict(state_dict={}, meta={}, x=Malicious(executed))
    torch.save(content, images / "evil.pth")
    code = """
test = cfg().train_dataloader
test.dataset.mode = "train"
test.sampler = dict(type="DefaultSampler", shuffle=False)
test.persistent_workers = False
extra = dict(test_dataloader=test, test_cfg=dict(type="TestLoop"),
    test_evaluator=dict(type="mmreid_ext.ReIDMetric"))
evil = sys.argv[1] + "/evil.pth"
for call, changes in dict(train={}, test=extra).items():
    try:
        getattr(Runner.from_cfg(cfg(load_from=evil, experiment_name=call, **changes)), call)()
    except Exception as error:
        print(call, type(error).__name__)
"""
    result = fresh_process(images, code)
    assert result.returncode == 0, result.stderr[-2000:]
    said = [line for line in result.stdout.splitlines() if line.startswith(("train ", "test "))]
    assert said == ["train UnsafeCheckpointError", "test UnsafeCheckpointError"]
    assert not executed.exists()


RESUMED = """
Runner.from_cfg(cfg()).train()
loop = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=4)
Runner.from_cfg(cfg(resume=True, train_cfg=loop, experiment_name="resumed")).train()
"""
HOOKS = """
info = dict(type="mmreid_ext.DeploymentInfoHook")
for name in ("deployment_info", "logger"):
    hooks = dict(deployment_info=info) | {name: None}
    runner = Runner.from_cfg(cfg(default_hooks=hooks, experiment_name=name))
    print([type(hook).__name__ for hook in runner.hooks])
"""


def test_checkpoints_are_plain_and_any_default_hook_can_be_switched_off(images):
    """The hooks come first: nothing of ours may have been imported then."""
    result = fresh_process(images, HOOKS + RESUMED)
    assert result.returncode == 0, result.stderr[-2000:]
    for iteration in (2, 4):
        content = torch.load(images / f"iter_{iteration}.pth", weights_only=True)
        assert content["meta"]["iter"] == iteration
    found = [line for line in result.stdout.splitlines() if line.startswith("['")]
    no_info, no_logger = found[:2]
    assert "LoggerHook" in no_info and "DeploymentInfoHook" not in no_info
    assert "DeploymentInfoHook" in no_logger and "LoggerHook" not in no_logger
