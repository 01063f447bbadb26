"""Every configuration builds, takes a training step and evaluates; shrunk to synthetic images."""

from pathlib import Path

import pytest
from helpers.benchmark_imitations import PROTOCOL_CONFIGS
from helpers.paths import CONFIGS
from helpers.shrunk_models import narrow
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, TRANSFORMS

from mmreid_ext.cli.launch import prepare
from mmreid_ext.datasets.synthetic import make_synthetic_domains
from mmreid_ext.image_loading import ImageSteps, steps_of

PATHS = sorted(CONFIGS.glob("*.py"))
NUM_DOMAINS = 4
QUICK = {"metabin_r18_synthetic", "strong_baseline_r18_market150", "xbm_r18_omniglot"}
"""One per loop and data set; the others are marked slow."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    make_synthetic_domains(folder, NUM_DOMAINS, 16, num_cameras=4, images_per_camera=2)
    return folder.parent


def shrink(cfg: Config, images: Path, work_dir: Path) -> Config:
    cfg.work_dir = str(work_dir)
    cfg.log_level = "WARNING"
    cfg.load_from = None  # a second stage begins without its first
    cfg.train_cfg["max_epochs" if "max_epochs" in cfg.train_cfg else "max_iters"] = 1
    cfg.train_cfg.val_interval = 1
    narrow(cfg.model)  # without the file of weights
    train = shrink_dataset(cfg.train_dataloader.dataset, images)
    loaders = [cfg.train_dataloader]
    if "meta_dataloader" in cfg.train_cfg:
        loaders.append(cfg.train_cfg.meta_dataloader)
        cfg.train_cfg.first_base_steps = 2
    for loader in loaders:
        loader.update(batch_size=16, num_workers=0, persistent_workers=False)
        loader.dataset = train  # `update` would merge it into the old one
        loader.sampler.num_instances = 2
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=16, num_workers=0, persistent_workers=False)
        loader.dataset.update(small_images(steps_of(loader.dataset)))
        loader.dataset.sources = [synthetic(images, domain) for domain in (0, 1)]
    num_classes = 8 * (NUM_DOMAINS if "sources" in train else 1)
    small = dict(num_classes=num_classes, start_iter=0)  # a memory begins at once
    for part in (cfg.model.head, *cfg.model.head.losses.values()):
        part.update({k: v for k, v in small.items() if part.get(k) is not None})
    return watch(cfg, "synthetic_0/R1")


def watch(cfg: Config, metric: str) -> Config:
    """Let schedules and checkpoints that follow a test set's score follow ``metric``."""
    for schedule in cfg.get("param_scheduler") or []:
        if "monitor" in schedule:
            schedule.monitor = metric
    if "save_best" in cfg.default_hooks.checkpoint:
        cfg.default_hooks.checkpoint.save_best = metric
    return cfg


def synthetic(images: Path, domain: int, **kwargs) -> dict:
    return dict(type="mmreid_ext.SyntheticReID", data_root=str(images), domain=domain, **kwargs)


def shrink_dataset(dataset: dict, images: Path) -> dict:
    steps = small_images(steps_of(dataset))
    if "sources" in dataset:
        sources = [synthetic(images, domain) for domain in range(NUM_DOMAINS)]
        return dict(type=dataset.type, sources=sources, **steps)
    settings = {k: v for k, v in dataset.items() if k in ("mode", "domain_from")}
    return synthetic(images, 0, **steps, **settings)


def small_images(steps: ImageSteps) -> dict:
    small = {"mmreid_ext.LoadResized": dict(scale=(32, 64))} | dict(
        Resize=dict(scale=(32, 64)),
        ResizeEdge=dict(scale=40),
        RandomResizedCrop=dict(scale=32),
        CenterCrop=dict(crop_size=32),
    )
    loader, *pipeline = [{**step, **small.get(step["type"], {})} for step in steps.in_order]
    return dict(loader=loader, pipeline=pipeline)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
        for path in PATHS
        if path.stem not in PROTOCOL_CONFIGS
    ],
)
def test_one_step_and_one_evaluation(path, images, tmp_path):
    cfg = prepare(shrink(Config.fromfile(path), images, tmp_path))
    runner = Runner.from_cfg(cfg)
    head = runner.model.head
    layer = head.embedding if getattr(head, "classifier", None) is None else head.classifier
    before = layer.weight.clone()
    runner.train()
    assert not before.equal(layer.weight)
    metrics = runner.val_loop.evaluator.metrics[0].last_results
    assert set(metrics) == {"synthetic_0", "synthetic_1"}
    assert (tmp_path / "last_checkpoint").exists()


def test_every_metabin_configuration_has_its_batch_norm_twin():
    names = {path.stem for path in PATHS}
    for name in names:
        if name.startswith("metabin"):
            twin = Config.fromfile(CONFIGS / f"{name.replace('metabin', 'bn', 1)}.py")
            ours = Config.fromfile(CONFIGS / f"{name}.py")
            for key in ("optim_wrapper", "param_scheduler", "train_dataloader", "max_iters"):
                assert twin[key] == ours[key], f"{name} and its twin differ in {key}"
            assert "BIN" not in str(twin.model.backbone)


def test_basenames_are_unique_because_mim_finds_configurations_by_them():
    names = [path.name for path in CONFIGS.rglob("*.py")]
    assert len(names) == len(set(names))


BASES = sorted((CONFIGS / "_base_" / "datasets").glob("*.py"))


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.stem)
def test_every_data_set_and_transform_of_a_base_exists(path):
    """Those that no configuration here uses, too."""
    cfg = Config.fromfile(path)
    loaders = [value for key, value in cfg.items() if key.endswith("_dataloader")]
    assert loaders
    for loader in loaders:
        if "dataset" in loader:
            sets = [loader.dataset, *loader.dataset.get("sources", [])]
            assert all(DATASETS.get(one.type) is not None for one in sets)
            steps = steps_of(loader.dataset).in_order
            assert all(TRANSFORMS.get(step["type"]) is not None for step in steps)
    if "train_dataloader" in cfg and "sources" not in cfg.train_dataloader.dataset:
        tested = cfg.test_dataloader.dataset.get("sources", [cfg.test_dataloader.dataset])
        assert cfg.train_dataloader.dataset.type in [one.type for one in tested]
