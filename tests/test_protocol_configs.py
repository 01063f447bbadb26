"""The configurations of published protocols run shrunk on imitations of their data sets."""

import pytest
from helpers.benchmark_imitations import write_sources, write_targets, write_vehicles
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS

from mmreid_ext.cli.launch import prepare
from mmreid_ext.registry import MODELS

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    return write_vehicles(write_sources(root))


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return write_targets(tmp_path_factory.mktemp("targets"))


def readers(cfg, loader):
    dataset = cfg[loader].dataset
    return dataset.sources if "sources" in dataset else [dataset]


def shrink(name, root, work_dir):
    """Two stages of eight channels, pictures of 32 x 16, one step of a dozen pictures."""
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    cfg.work_dir, cfg.log_level = str(work_dir), "ERROR"
    cfg.model.backbone.update(depth=18, stem_channels=8, base_channels=8, init_cfg=None)
    cfg.model.head.in_channels = 64
    cfg.train_cfg["max_epochs" if "max_epochs" in cfg.train_cfg else "max_iters"] = 1
    cfg.train_cfg.val_interval = 1
    loaders = [cfg[loader] for loader in LOADERS]
    if "meta_dataloader" in cfg.train_cfg:
        loaders.append(cfg.train_cfg.meta_dataloader)
        cfg.train_cfg.first_base_steps = 2
    batch = 12 if "sources" in cfg.train_dataloader.dataset else 8
    for loader in loaders:
        loader.update(batch_size=batch, num_workers=0, persistent_workers=False)
        if "num_instances" in loader.sampler:
            loader.sampler.num_instances = 2
        if "dataset" in loader:
            loader.dataset.loader.scale = (16, 32)
    for loader in LOADERS:
        for reader in readers(cfg, loader):
            reader.update(data_root=str(root), check=False)
    cfg.model.head.num_classes = DATASETS.build(cfg.train_dataloader.dataset).num_classes
    return cfg


EXPECTED = {
    "p2_market1501": (dict(msmt17=8, cuhk_sysu=8, cuhk03=8), "market1501"),
    "p2_msmt17": (dict(market1501=8, cuhk_sysu=8, cuhk03=8), "msmt17"),
    "p2_cuhk03": (dict(market1501=8, msmt17=8, cuhk_sysu=8), "cuhk03"),
    "p3_market1501": (dict(msmt17=24, cuhk_sysu=8, cuhk03=24), "market1501"),
    "p3_msmt17": (dict(market1501=24, cuhk_sysu=8, cuhk03=24), "msmt17"),
    "p3_cuhk03": (dict(market1501=24, msmt17=24, cuhk_sysu=8), "cuhk03"),
}
"""Pictures of each source: of MSMT17 the validation list counts in protocol 3 only."""


RUN = [f"metabin_r50_dg_{case}" for case in EXPECTED] + ["bn_r50_dg_p2_market1501"]


@pytest.mark.parametrize("name", RUN)
def test_protocols_2_and_3(name, data, tmp_path):
    cfg = prepare(shrink(name, data, tmp_path))
    runner = Runner.from_cfg(cfg)
    runner.train()
    counts, target = EXPECTED[name.partition("_dg_")[2]]
    sources = runner.train_dataloader.dataset.sources
    assert {source.name: len(source) for source in sources} == counts
    assert runner.model.head.classifier.weight.shape == (sum(s.num_classes for s in sources), 64)
    results = runner.val_loop.evaluator.metrics[0].last_results
    assert list(results) == [target] and results[target].protocol["type"] == "CameraProtocol"
    both = (*sources, *runner.val_dataloader.dataset.sources)
    assert {source.boxes for source in both if source.name == "cuhk03"} == {"labelled"}


@pytest.mark.parametrize("case", EXPECTED)
def test_twins_build(case, data, tmp_path):
    """One runs above; ``test_configs.py`` compares the others with what runs."""
    cfg = shrink(f"bn_r50_dg_{case}", data, tmp_path)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    assert not model.bin_layers()
    assert cfg.train_cfg.type == "mmreid_ext.ReIDTrainLoop"


def test_protocol_1(data, targets, tmp_path):
    cfg = shrink("metabin_r50_dg", data, tmp_path)
    for loader in LOADERS[1:]:
        for reader in readers(cfg, loader):
            reader.data_root = str(targets)
        cfg[loader].batch_size = 512
    for loader in (cfg.train_dataloader, cfg.train_cfg.meta_dataloader):
        loader.batch_size = 16
    runner = Runner.from_cfg(prepare(cfg))
    runner.train()
    sources = {source.name: len(source) for source in runner.train_dataloader.dataset.sources}
    assert sources == dict(market1501=24, cuhk02=40, cuhk03=24, cuhk_sysu=8)
    results = runner.val_loop.evaluator.metrics[0].last_results
    sizes = {name: (result.num_queries, result.num_gallery) for name, result in results.items()}
    assert sizes == dict(viper=(316, 316), prid2011=(100, 649), grid=(125, 900), ilids=(60, 60))
    assert all(result.plain.std for result in results.values())


def test_vehicleid(data, tmp_path):
    runner = Runner.from_cfg(prepare(shrink("strong_baseline_r50_vehicleid", data, tmp_path)))
    runner.train()
    results = runner.val_loop.evaluator.metrics[0].last_results
    sizes = {name: (result.num_queries, result.num_gallery) for name, result in results.items()}
    assert sizes == dict(vehicleid_800=(6, 2), vehicleid_1600=(9, 3), vehicleid_2400=(12, 4))
    assert {result.protocol["repeats"] for result in results.values()} == {10}


def test_multi_query(data, tmp_path):
    runner = Runner.from_cfg(prepare(shrink("strong_baseline_r50_multi_query", data, tmp_path)))
    runner.train()
    results = runner.val_loop.evaluator.metrics[0].last_results
    assert {name: result.num_queries for name, result in results.items()} == dict(
        market1501=8, market1501_multi_query=8
    )
    assert len(runner.val_dataloader.dataset) == (8 + 9) + (16 + 9)


PUBLISHED = {
    # identities of the parts, docs/protocol.md
    "metabin_r50_dg": 1501 + 1816 + 1467 + 11934,
    "metabin_r50_dg_p2_market1501": 1041 + 11934 + 767,
    "metabin_r50_dg_p2_msmt17": 751 + 11934 + 767,
    "metabin_r50_dg_p2_cuhk03": 751 + 1041 + 11934,
    "metabin_r50_dg_p3_market1501": 4101 + 11934 + 1467,
    "metabin_r50_dg_p3_msmt17": 1501 + 11934 + 1467,
    "metabin_r50_dg_p3_cuhk03": 1501 + 4101 + 11934,
    "strong_baseline_r50_vehicleid": 13164,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_classifiers_have_the_published_number_of_people(name):
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    assert cfg.model.head.num_classes == PUBLISHED[name]
    if "meta_dataloader" in cfg.train_cfg:
        domains = len(cfg.train_dataloader.dataset.sources)
        loader = cfg.train_cfg.meta_dataloader
        assert loader.batch_size % (domains * loader.sampler.num_instances) == 0
