"""Wrong settings of samplers, metrics and protocols stop a training before an image is read."""

import pytest
from helpers.tiny_reid import TinyReID, tiny_model, tiny_runner

from mmreid_ext.datasets.samplers import GroupSampler, PKSampler
from mmreid_ext.engine.settings.before_data import check_sampler
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.registry import DATASETS

LOOPS = ["mmreid_ext.ReIDTrainLoop", "mmreid_ext.ReIDEpochTrainLoop", "mmreid_ext.MetaBINTrainLoop"]


@DATASETS.register_module()
class NeverRead(TinyReID):
    """A data set that must not be read."""

    def __init__(self, **kwargs):
        raise AssertionError("The images were read first.")


def runner(
    tmp_path, kind, sampler=None, evaluator=None, test_set=None, size=32,
    pipeline=(), meta_set=None, preprocessor=None,
):  # fmt: skip
    sampler = dict(type="mmreid_ext.PKSampler", num_instances=2) | (sampler or {})
    images = dict(type="NeverRead", _scope_="mmreid_ext", pipeline=list(pipeline))
    length = dict(max_epochs=1) if kind.endswith("EpochTrainLoop") else dict(max_iters=1)
    loader = dict(batch_size=size, num_workers=0, dataset=images, sampler=sampler)
    meta_sampler = dict(type="mmreid_ext.DomainPKSampler", num_instances=2)
    meta_loader = dict(batch_size=32, num_workers=0, sampler=meta_sampler, **(meta_set or {}))
    meta = dict(meta_dataloader=meta_loader) if "MetaBIN" in kind else {}
    model = tiny_model() if meta else tiny_model("mmreid_ext.SyncBN")
    if preprocessor is not None:
        model["data_preprocessor"] = preprocessor
    return tiny_runner(
        tmp_path,
        model=model,
        train_dataloader=loader,
        train_cfg=dict(type=kind, **length, **meta),
        val_cfg=dict(type="ValLoop"),
        val_dataloader=dict(batch_size=4, num_workers=0, dataset=test_set or images),
        val_evaluator=evaluator or dict(type="mmreid_ext.ReIDMetric"),
    )


METRICS = [dict(distance="cos"), dict(rerank="always"), dict(max_rank=0), dict(protocols="camra")]
SUITE = dict(
    type="mmreid_ext.BenchmarkSuite",
    datasets=[dict(type="mmreid_ext.Market1501", protocol="camra", data_root="/nowhere")],
)
WRONG = {
    "strategy": (dict(sampler=dict(strategy="foo")), "strategy='foo'"),
    "images per identity": (dict(sampler=dict(num_instances=0)), "num_instances=0"),
    "indivisible": (dict(size=18, sampler=dict(num_instances=4)), "batch_size=18"),
    "distance": (dict(evaluator=METRICS[0] | dict(type="mmreid_ext.ReIDMetric")), "'cos'"),
    "rerank": (dict(evaluator=[METRICS[1] | dict(type="mmreid_ext.ReIDMetric")]), "'always'"),
    "max_rank": (dict(evaluator=METRICS[2] | dict(type="mmreid_ext.ReIDMetric")), "max_rank=0"),
    "override": (dict(evaluator=METRICS[3] | dict(type="mmreid_ext.ReIDMetric")), "camra"),
    "protocol of a test set": (dict(test_set=SUITE), "camra"),
}


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("name", WRONG)
def test_settings_stop_before_images_are_read(tmp_path, kind, name):
    settings, message = WRONG[name]
    with pytest.raises(UserError, match=message):
        runner(tmp_path, kind, **settings).train()


FOR_DEVICE = [dict(type="mmreid_ext.PackForDevice", augments=[])]


@pytest.mark.parametrize("kind", LOOPS)
def test_a_preprocessor_that_drops_augmentations(tmp_path, kind):
    with pytest.raises(UserError, match="ImgDataPreprocessor|BaseDataPreprocessor|Cls"):
        runner(tmp_path, kind, pipeline=FOR_DEVICE).train()


def test_one_of_meta_batches(tmp_path):
    meta = dict(dataset=dict(type="NeverRead", _scope_="mmreid_ext", pipeline=FOR_DEVICE))
    with pytest.raises(UserError, match="PackForDevice.*PackReIDInputs"):
        runner(tmp_path, LOOPS[2], meta_set=meta).train()


def test_one_that_runs_them_reaches_the_images(tmp_path):
    ours = dict(type="mmreid_ext.ReIDDataPreprocessor")
    with pytest.raises(AssertionError, match="read first"):
        runner(tmp_path, LOOPS[0], pipeline=FOR_DEVICE, preprocessor=ours).train()


def test_right_settings_reach_the_images(tmp_path):
    with pytest.raises(AssertionError, match="read first"):
        runner(tmp_path, LOOPS[0]).train()


def test_other_samplers_pass():
    for sampler in (None, dict(type="DefaultSampler"), dict(type="mmreid_ext.PKSampler")):
        check_sampler(sampler)
    with pytest.raises(UserTypeError, match="GroupSampler: batch_size=2.5"):
        GroupSampler.check_settings(2.5)
    with pytest.raises(UserError, match="strategy"):
        check_sampler(dict(type=PKSampler, batch_size=8, strategy="foo"))
