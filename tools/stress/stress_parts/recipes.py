"""The recipes of ``configs/`` in small: synthetic people, a narrow network, a few iterations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmreid_ext.datasets.synthetic import make_synthetic_domains

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
HEIGHT, WIDTH, CHANNELS = 32, 16, 8
"""oneDNN of PyTorch 2.11 damages the heap at four channels in channels-last order."""

DOMAINS, PEOPLE = 3, 8
"""The last domain is for validation; half of the people of the others are for training."""

IN_TRAINING = PEOPLE // 2


def draw_people(folder: Path) -> Path:
    """Draw the pictures of all recipes, a few KB each, and return their folder."""
    return make_synthetic_domains(
        folder, DOMAINS, PEOPLE, num_cameras=2, images_per_camera=2, size=(HEIGHT, WIDTH)
    )


def configuration(
    recipe: str,
    people: Path,
    work_dir: Path,
    iters: int = 8,
    save_every: int = 2,
    validate_every: int = 3,
    workers: int = 0,
    **checkpoint: Any,
) -> Config:
    """Build the settings of a small run.

    Args:
        recipe: A name of :data:`RECIPES`.
        people: Folder of :func:`draw_people`.
        work_dir: Folder of the run.
        iters: Length of the run. A recipe that counts epochs has half as many, of two iterations.
        save_every: Iterations between two checkpoints.
        validate_every: Iterations between two validations.
        workers: Processes that load pictures, for training and for validation.
        **checkpoint: More settings of the checkpoint hook.
    """
    name, change = RECIPES[recipe]
    cfg = Config.fromfile(str(CONFIGS / f"{name}.py"))
    cfg.work_dir, cfg.experiment_name, cfg.log_level = str(work_dir), work_dir.name, "ERROR"
    _narrow(cfg)
    _use_people(cfg, people, workers)
    cfg.train_cfg = _length(cfg, iters, validate_every)
    cfg.default_hooks.checkpoint = dict(
        type="CheckpointHook",
        by_epoch=False,
        interval=save_every,
        max_keep_ckpts=2,
        save_best="auto",
        rule="greater",
        **checkpoint,
    )
    cfg.default_hooks.logger.interval = 1
    cfg.train_dataloader.batch_size = 16
    change(cfg, iters)
    return cfg


def _narrow(cfg: Config) -> None:
    cfg.model.backbone.update(
        depth=18,
        stem_channels=CHANNELS,
        base_channels=CHANNELS,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
        init_cfg=None,
    )
    cfg.model.head.in_channels = 2 * CHANNELS


def _use_people(cfg: Config, people: Path, workers: int) -> None:
    def domain(number: int) -> dict:
        return dict(type="mmreid_ext.SyntheticReID", data_root=str(people), domain=number)

    loader = dict(type="mmreid_ext.LoadResized", scale=(WIDTH, HEIGHT), interpolation="bilinear")
    cfg.train_dataloader.dataset = dict(
        type="mmreid_ext.MultiSourceDataset",
        sources=[domain(number) for number in range(DOMAINS - 1)],
        loader=loader,
        pipeline=[
            dict(
                type="mmreid_ext.PackForDevice",
                augments=[
                    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
                    dict(type="mmreid_ext.PadCrop", padding=2),
                    dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
                ],
            ),
        ],
    )
    cfg.val_dataloader.dataset.update(
        sources=[domain(DOMAINS - 1)],
        loader=loader,
        pipeline=[dict(type="mmreid_ext.PackReIDInputs")],
    )
    for name in ("train_dataloader", "val_dataloader"):
        cfg[name].num_workers, cfg[name].persistent_workers = workers, workers > 0
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None


def _length(cfg: Config, iters: int, validate_every: int) -> dict:
    settings = dict(cfg.train_cfg, val_interval=validate_every)
    if "max_epochs" in settings:  # 32 pictures: an epoch has two iterations
        return settings | dict(max_epochs=iters // 2, val_interval=max(validate_every // 2, 1))
    return settings | dict(max_iters=iters)


def _metabin(cfg: Config, iters: int) -> None:
    cfg.model.head.num_classes = IN_TRAINING * (DOMAINS - 1)
    cfg.train_cfg.meta_dataloader.update(batch_size=16, num_workers=0)
    cfg.train_cfg.first_base_steps = 3
    cfg.train_cfg.inner_ratio.period = iters // 2
    _warm_up(cfg, iters)


def _baseline(cfg: Config, iters: int) -> None:
    cfg.model.head.num_classes = IN_TRAINING * (DOMAINS - 1)
    cfg.model.head.losses.center.update(
        num_classes=IN_TRAINING * (DOMAINS - 1), feat_dim=2 * CHANNELS
    )
    epochs = iters // 2
    cfg.param_scheduler = [
        dict(type="LinearLR", by_epoch=True, start_factor=0.1, begin=0, end=epochs),
        dict(type="MultiStepLR", by_epoch=True, milestones=[max(epochs // 2, 1)]),
    ]


def _xbm(cfg: Config, iters: int) -> None:
    cfg.model.head.embedding_dim = 8
    cfg.model.head.losses.xbm.update(memory_size=40, feat_dim=8, start_iter=1)
    reads = dict(type="ReduceOnPlateauLR", rule="greater", patience=0, threshold=0.5)
    cfg.param_scheduler = [dict(reads, monitor=f"synthetic_{DOMAINS - 1}/mAP")]


def _arcmargin(cfg: Config, iters: int) -> None:
    cfg.model.head.num_classes = IN_TRAINING * (DOMAINS - 1)
    cfg.model.head.embedding_dim = 8
    cfg.train_dataloader.batch_size = 8  # one picture of each person
    _warm_up(cfg, iters)


def _pairs(cfg: Config, iters: int) -> None:
    cfg.model.head.embedding_dim = 8
    cfg.load_from = None
    cfg.param_scheduler[0].T_max = iters


def _warm_up(cfg: Config, iters: int) -> None:
    cfg.param_scheduler = [
        dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=iters // 2),
        dict(type="CosineAnnealingLR", by_epoch=False, begin=iters // 2, end=iters, eta_min=1e-6),
    ]


RECIPES: dict[str, tuple[str, Callable[[Config, int], None]]] = {
    "metabin": ("metabin_r18_synthetic", _metabin),
    "baseline": ("strong_baseline_r18_market150_softmax_triplet_center", _baseline),
    "xbm": ("xbm_r18_omniglot", _xbm),
    "arcmargin": ("arcmargin_r18_market150", _arcmargin),
    "pairs": ("arcmargin_r18_market150_eml", _pairs),
}
"""Name of a recipe: its configuration, and what small runs of it change."""
