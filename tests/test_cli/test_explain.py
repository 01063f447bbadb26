"""Mistakes in a configuration, as the tools tell them: one line each, in the user's words."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.paths import TOOLS
from helpers.tiny_config import write_tiny_config
from mmengine.registry import DefaultScope

from mmreid_ext.checkpoint.starting import download
from mmreid_ext.errors import UserError

URL = "https://example.org/resnet18.pth"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_tiny_config(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def train(config, tmp_path, monkeypatch):
    def run(*arguments):
        DefaultScope._instance_dict.clear()
        monkeypatch.setattr(sys, "argv", ["train.py", str(config), *arguments])
        if "--work-dir" not in arguments:
            sys.argv += ["--work-dir", str(tmp_path / "work")]
        runpy.run_path(str(TOOLS / "train.py"), run_name="__main__")

    return run


MISSPELT = {
    "train_dataloader.dataset.type=mmreid_ext.CSVDatset": "'mmreid_ext.CSVDatset'.*CSVDataset'",
    "train_dataloader.dataset.type=CSVDataset": "'CSVDataset'.* mean 'mmreid_ext.CSVDataset'",
    "train_dataloader.dataset.csv_fil=x": "CSVDataset takes no 'csv_fil' .did you mean 'csv_file'",
    "train_dataloader.dataset.pipeline.0.type=LoadImag": "pipeline.0: .*LoadImageFromFile",
    "train_dataloader.dataset.pipeline.0.foo=1": "LoadImageFromFile takes no 'foo'",
    "train_dataloader.batch_sizee=3": "takes no 'batch_sizee' .did you mean 'batch_size'",
    "train_dataloader.num_workers=two": "DataLoader says",
    "train_dataloader.sampler.type=mmreid_ext.PKSmpler": "mean 'mmreid_ext.PKSampler'",
    "train_dataloader.sampler.num_instance=2": "takes no 'num_instance' .did you mean",
    "train_dataloader.sampler.batch_size=2": "sampler.batch_size=2: leave out the sampler's",
    "train_dataloader.collate_fn.type=mmreid_ext.reid_colate": "mean 'mmreid_ext.reid_collate'",
    "model.type=ReIDModl": "model: type='ReIDModl'.* mean 'mmreid_ext.ReIDModel'",
    "model.backbone.dept=18": "model.backbone: ResNet takes no 'dept' .did you mean 'depth'",
    "model.backbone.depth=19": "model.backbone: ResNet says: invalid depth 19",
    "model.backbone.out_indices=(3,)": "ResNet says: AssertionError: assert max.out_indices",
    "model.backbone.norm_cfg.type=BNN": "model.backbone.norm_cfg: type='BNN'.* mean 'BN'",
    "model.backbone.norm_cfg.foo=1": "unexpected keyword argument 'foo'",
    "model.head.num_clases=3": "model.head: BNNeckHead takes no 'num_clases'.* 'num_classes'",
    "model.head.losses.ce.type=X": "model.head.losses.ce: type='X' is no registered model",
    "model.head.num_classes=5": "classifier has 5 classes",
    "optim_wrapper.optimizer.type=SGDD": "optim_wrapper.optimizer: .* mean 'SGD'",
    "optim_wrapper.optimizer.lrr=1": "SGD takes no 'lrr' .did you mean 'lr'",
    "optim_wrapper.optimizer.lr=-1": "SGD says: Invalid learning rate",
    "optim_wrapper.typo=1": "OptimWrapper takes no 'typo'",
    "optim_wrapper=None": "optim_wrapper should be either all None or not None",
    "param_scheduler.0.milestone=3": "takes no 'milestone' .did you mean 'milestones'",
    "param_scheduler=[dict(type='MultiStep', by_epoch=False)]": "type='MultiStep'.*MultiStepLR'",
    "train_cfg.type=mmreid_ext.ReIDTrainLop": "train_cfg: .* mean 'mmreid_ext.ReIDTrainLoop'",
    "train_cfg.max_iterz=3": "ReIDTrainLoop takes no 'max_iterz' .did you mean 'max_iters'",
    "train_cfg.by_epoch=True": "Only one of `type` or `by_epoch`",
    "train_cfg.max_iters=ten": "train_cfg.max_iters='ten', a whole number",
    "default_hooks.checkpoint.intervall=3": "CheckpointHook takes no 'intervall'",
    "custom_hooks=[dict(type='EMAHok')]": "custom_hooks.0: .* mean 'EMAHook'",
    "custom_hooks=[dict(type='EMAHook', momentm=3)]": "takes no 'momentm' .did you mean 'moment",
    "val_evaluator.type=mmreid_ext.ReIDMetrc": "val_evaluator: .* mean 'mmreid_ext.ReIDMetric'",
    "custom_hooks=[dict(tpye='EMAHook')]": "custom_hooks.0 lacks `type` .is 'tpye' misspelt",
    "val_evaluator.rerankk=1": "ReIDMetric .* 'rerankk' .did you mean 'rerank'",
    "visualizer.type=Visualiser": "type='Visualiser' is no registered visualizer .did you mean",
    "log_processor.windowsize=3": "nothing reads 'windowsize' .did you mean 'window_size'",
    "log_level=loud": "log_level='loud', one of",
    "default_scope=mmpretrian": "default_scope='mmpretrian' .did you mean 'mmpretrain'",
    "load_from=nowhere.pth": "load_from.*nowhere.pth",
    "test_dataloader.drop_last=True": "test_dataloader.drop_last=True leaves images out",
    "model=dict(type='A', b=c)": None,
}


@pytest.mark.parametrize("option", MISSPELT)
def test_one_line_with_place_and_remedy(train, option, capsys):
    message = MISSPELT[option]
    with pytest.raises(SystemExit) as caught:
        train("--cfg-options", option)
    if message is None:
        assert caught.value.code == 2
        return
    text = str(caught.value.code)
    assert text.startswith("error: ") and text.count("\n") == 1, text
    with pytest.raises(UserError, match=message):
        raise UserError(text)


def test_a_run_with_good_options(train, tmp_path):
    """Persistent workers of a loader that has none, and a dict."""
    option = "default_hooks.checkpoint=dict(interval=1)"
    train("--cfg-options", option, "train_dataloader.num_workers=0")
    assert (tmp_path / "work" / "iter_1.pth").exists()


@pytest.mark.parametrize("reason", ["Name or service not known", None])
def test_weights_that_cannot_be_downloaded(train, tmp_path, monkeypatch, reason):
    def no_network(*_, **__):
        raise OSError("connection reset")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(download, "why_unreachable", lambda *_: reason)
    monkeypatch.setattr(download.torch.hub, "download_url_to_file", no_network)
    options = [f"model.backbone.init_cfg.{x}" for x in ("type=Pretrained", f"checkpoint={URL}")]
    with pytest.raises(SystemExit) as caught:
        train("--cfg-options", *options)
    text = str(caught.value.code)
    for part in (URL, reason or "connection reset", "hub/checkpoints/resnet18.pth"):
        assert part in text
    for remedy in ("model.backbone.init_cfg=None", "checkpoint=FILE", "load_from=FILE"):
        assert remedy in text


def test_a_bug_of_ours_while_building_keeps_its_traceback(train, monkeypatch):
    from mmreid_ext.models import ReIDModel

    def broken(self, *_, **__):
        dict(a=1)["b"]

    monkeypatch.setattr(ReIDModel, "__init__", broken)
    with pytest.raises(KeyError):
        train()


def test_a_bug_of_ours_that_calls_wrongly_keeps_its_traceback(train, monkeypatch):
    from mmreid_ext.models import ReIDModel

    def broken(self, backbone, head, **kwargs):
        sorted([1], kee=3)

    monkeypatch.setattr(ReIDModel, "__init__", broken)
    with pytest.raises(TypeError, match="kee"):
        train()


def test_interrupt(train, monkeypatch, capsys):
    from mmreid_ext.engine import ReIDTrainLoop

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(ReIDTrainLoop, "run", interrupted)
    with pytest.raises(SystemExit) as caught:
        train()
    assert caught.value.code == 130
    assert capsys.readouterr().err.startswith("interrupted before the first checkpoint")


@pytest.mark.parametrize("launcher", ["pytorch", "slurm"])
def test_a_launcher_that_did_not_start_this(train, launcher):
    with pytest.raises(SystemExit, match=f"error: --launcher {launcher} expects .*dist_train.sh"):
        train("--launcher", launcher)


def test_precision_without_amp_is_an_error_of_usage(train, capsys):
    with pytest.raises(SystemExit) as caught:
        train("--amp-dtype", "float16")
    assert caught.value.code == 2
    assert "--amp" in capsys.readouterr().err


def test_a_lost_wrapper_is_refused(train):
    with pytest.raises(SystemExit, match="optim_wrapper.type='ApexOptimWrapper' would be replaced"):
        train("--amp", "--cfg-options", "optim_wrapper.type=ApexOptimWrapper")


def test_an_environment_in_a_folder_of_our_name_is_not_ours():
    """The README clones into ``mmreid_ext``, and the scripts put ``.venv`` in there."""
    from mmreid_ext.cli import explain

    def raised_in(file):
        frame = SimpleNamespace(f_code=SimpleNamespace(co_filename=file))
        return explain._of_others(frame)

    package = Path(explain.__file__).parents[1]
    assert raised_in("/home/me/mmreid_ext/.venv/lib/site-packages/mmpretrain/models/resnet.py")
    assert not raised_in(str(package / "models" / "reid_model.py"))
    assert not raised_in("/home/me/mmpretrain_user/own.py")
