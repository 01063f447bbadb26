"""What only the first validation would find wrong is found before the first step."""

from types import SimpleNamespace

import pytest
from helpers.fake_images import write_market
from mmengine.config import Config
from mmengine.dataset import RepeatDataset
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.registry import DefaultScope

from mmreid_ext.datasets import Market1501
from mmreid_ext.engine.settings import evaluation_check
from mmreid_ext.engine.settings.evaluation_check import (
    check_data_sets,
    check_test_sets,
    check_validation,
    other_test_set,
)
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import ReIDMetric
from mmreid_ext.protocols import ImageTable

META = dict(test_sets=dict(market1501=dict(protocol="camera"), viper=dict(protocol="viper")))


def loop(metric=None, table=None, meta=META):
    metric = metric or ReIDMetric()
    metric.dataset_meta = meta
    dataset = SimpleNamespace() if table is None else SimpleNamespace(image_table=lambda: table)
    return SimpleNamespace(
        dataloader=SimpleNamespace(dataset=dataset), evaluator=SimpleNamespace(metrics=[metric])
    )


def runner(*hooks, schedules=None, **options):
    return SimpleNamespace(val_loop=loop(**options), hooks=hooks, param_schedulers=schedules)


def schedule(monitor, rule="greater"):
    return SimpleNamespace(monitor=monitor, rule=rule, need_val_args=True)


RIGHT = ["market1501/mAP", "market1501/R1", "market1501/rerank/mAP", "viper/mAP_std"]
WRONG = [
    ("mAP", "did you mean 'market1501/mAP'"),
    ("R1", "did you mean 'market1501/R1'"),
    ("market1501/map", "did you mean 'market1501/mAP'"),
    ("market/mAP", "did you mean 'market1501/mAP'"),
    ("market1501/R3", "market1501/R5"),
    ("accuracy/top1", "is no metric of the validation, which reports market1501/mAP"),
]


def watchers(key, rule="greater"):
    return {
        "CheckpointHook": lambda: runner(CheckpointHook(save_best=key, rule=rule)),
        "CheckpointHook list": lambda: runner(
            CheckpointHook(save_best=["market1501/mINP", key], rule=["greater", rule])
        ),
        "EarlyStoppingHook": lambda: runner(EarlyStoppingHook(monitor=key, rule=rule)),
        "schedule": lambda: runner(schedules=[schedule(key, rule)]),
        "schedules by name": lambda: runner(schedules=dict(a=[schedule(key, rule)])),
    }


WATCHERS = list(watchers("x"))


@pytest.mark.parametrize("who", WATCHERS)
@pytest.mark.parametrize("key", RIGHT)
def test_right_keys_pass(who, key):
    check_validation(watchers(key)[who]())


@pytest.mark.parametrize("who", WATCHERS)
@pytest.mark.parametrize("key, words", WRONG)
def test_wrong_keys_are_refused_with_those_that_exist(who, key, words):
    with pytest.raises(ValueError, match=words):
        check_validation(watchers(key)[who]())


@pytest.mark.parametrize("who", WATCHERS)
def test_the_worst_is_not_taken_for_the_best(who):
    with pytest.raises(ValueError, match="rule='greater'"):
        check_validation(watchers("market1501/mAP", "less")[who]())


def test_where_nothing_can_be_known_nothing_is_said():
    check_validation(runner(CheckpointHook(save_best="auto", rule="greater")))
    check_validation(runner(CheckpointHook(save_best="x", rule="greater"), meta={}))
    check_validation(SimpleNamespace(val_loop=None, hooks=[], param_schedulers=None))
    other = runner(CheckpointHook(save_best="x", rule="greater"))
    other.val_loop.evaluator.metrics.append(object())
    check_validation(other)


def test_re_ranked_keys_need_re_ranking():
    metric = ReIDMetric(rerank=None)
    with pytest.raises(ValueError, match="did you mean 'market1501/mAP'"):
        hook = CheckpointHook(save_best="market1501/rerank/mAP", rule="greater")
        check_validation(runner(hook, metric=metric))


def table(camids, name="market1501"):
    roles = ["query", "gallery"]
    return ImageTable([1, 1], camids, roles, [name] * 2, ["a", "b"])


@pytest.mark.parametrize(
    "protocols, camids, words",
    [
        (None, [0, 0], "all images come from cam"),
        (None, [-1, -1], "no image has a known camera"),
        ("viper", [0, 1], "defined on 632 identities"),
        (dict(market1501="grid"), [0, 1], "defined on 250 identities"),
    ],
)
def test_the_images_are_looked_at_before_features_are_extracted(protocols, camids, words):
    """Under the protocol that will be used, whatever the reader announced."""
    with pytest.raises(ValueError, match=words):
        check_test_sets(loop(ReIDMetric(protocols=protocols), table(camids)))
    check_test_sets(loop(ReIDMetric(protocols="no_camera"), table(camids)))


def test_the_data_sets_are_looked_at_also_behind_wrappers(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(evaluation_check, "print_log", lambda text, **_: said.append(text))
    write_market(tmp_path)
    test = Market1501(tmp_path, mode="test", check=False)
    validation = SimpleNamespace(dataloader=SimpleNamespace(dataset=test))
    check_data_sets(Market1501(tmp_path, check=False), validation)
    assert said == [
        "data     train market1501: 12 images, 3 people, 2 cameras | "
        "test market1501: 13 images, 2 people, 2 cameras | all files there"
    ]
    assert check_data_sets(Market1501(tmp_path, check=False), None).tests == ()
    assert check_data_sets([1, 2], validation) is None
    everything = Market1501(tmp_path, combine_all=True, check=False)
    del said[:]
    check_data_sets(RepeatDataset(everything, 2), validation)
    assert len(said) == 2 and "12 images of the test set 'market1501' are trained on" in said[1]


def test_files_that_are_no_pictures_stop_the_training(tmp_path, monkeypatch):
    folder = write_market(tmp_path)
    next((folder / "query").iterdir()).write_bytes(b"")
    pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
    test = Market1501(tmp_path, "test", pipeline, check=False)
    validation = SimpleNamespace(dataloader=SimpleNamespace(dataset=test))
    with pytest.raises(UserError, match=r"1 of 13 files .* are no pictures: .*query.*\(empty\)"):
        check_data_sets(Market1501(tmp_path, check=False), validation)


def test_a_test_set_beside_the_validation_is_looked_at_too(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(evaluation_check, "print_log", lambda text, **_: said.append(text))
    folder = write_market(tmp_path)

    def runner(test, loop=True):
        common = dict(type="mmreid_ext.Market1501", data_root=str(tmp_path), check=False)
        loaders = dict(val_dataloader=dict(dataset=dict(common, mode="test")))
        if test is not None:
            loaders["test_dataloader"] = dict(dataset=dict(common, mode="test") | test)
        return SimpleNamespace(cfg=Config(loaders), val_loop=loop or None)

    for none in (runner({}), runner(None), runner(dict(name="x"), loop=False)):
        assert other_test_set(none) is None
    pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        other = other_test_set(runner(dict(name="street", pipeline=pipeline)))
        assert other_test_set(runner(dict(data_root="nowhere"))) is None
    assert said.pop().startswith("test_dataloader: ") and not said
    train = Market1501(tmp_path, check=False)
    assert "test street: 13 images" in check_data_sets(train, None, other).line
    next((folder / "query").iterdir()).write_bytes(b"")
    with pytest.raises(UserError, match="street: 1 of 13 files .* are no pictures"):
        check_data_sets(train, None, other)
