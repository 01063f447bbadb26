"""Images per second on one core: decoding and resizing alone, and stage by stage to the network.

The images are those of Market-1501 under MMREID_DATA_ROOT, or of any folder. Every stage repeats
what the stages before it do, from reading to the normalised input of the network. Where a pipeline
ends in PackForDevice, the table has its way first, then the same transforms one by one, and then
what each augmentation costs by itself. Files are read from the system's cache.

Example::

    python tools/benchmarks/loader.py --config configs/metabin_r50.py --images 2000
    python tools/benchmarks/loader.py --folder data/synthetic --without ReIDColorJitter
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import COLLATE_FUNCTIONS, Compose
from mmengine.registry import DefaultScope
from mmpretrain.utils import register_all_modules
from PIL import Image
from timing import CLOCKS, how, machine, medians
from torch.utils.data import DataLoader

from mmreid_ext.augmentation.augment import Augment
from mmreid_ext.augmentation.pending import PendingAugments
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.freed_memory import keep_freed_memory
from mmreid_ext.cli.speed_options import store_decoded
from mmreid_ext.config_files import read_config_file
from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.datasets.samplers import PKSampler
from mmreid_ext.image_loading import ImageSteps, steps_of
from mmreid_ext.models.reid_model import IMAGENET_PREPROCESSOR
from mmreid_ext.registry import DATASETS, MODELS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="configs/metabin_r50.py")
    parser.add_argument("--folder", type=Path, help="any images instead of the configuration's")
    parser.add_argument("--images", type=int, default=1920)
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=[], help="also with workers")
    parser.add_argument("--without", nargs="*", default=[], help="types of transforms to leave out")
    parser.add_argument("--store-decoded", metavar="FOLDER", help="as in training")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on a busy machine")
    return parser.parse_args()


class Folder(RecordDataset):
    """The images of a folder as one identity per four of them."""

    def __init__(self, paths: list[Path], steps: ImageSteps) -> None:
        self.paths = paths
        super().__init__("folder", "train", steps.transforms, "error", steps.loader)

    def load_data_list(self) -> list[dict]:
        """One record per image."""
        self.num_classes, self.num_domains = (len(self.paths) + 3) // 4, 1
        fixed = dict(camid=0, domain=0, role="train", dataset="folder")
        return [
            dict(img_path=str(path), pid=i // 4, gt_label=i // 4, **fixed)
            for i, path in enumerate(self.paths)
        ]


def build_dataset(args: argparse.Namespace, cfg: Config) -> RecordDataset:
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        if args.folder is None:
            return DATASETS.build(cfg.train_dataloader.dataset)
        paths = sorted(p for p in args.folder.rglob("*") if p.suffix in (".jpg", ".png"))
        return Folder(paths, steps_of(cfg.train_dataloader.dataset))


def opencv(interpolation: int) -> Callable[[str], np.ndarray]:
    return lambda path: cv2.resize(
        cv2.imread(path, cv2.IMREAD_COLOR), (128, 256), interpolation=interpolation
    )


def pillow(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((128, 256), Image.BICUBIC))


Stages = Iterator[tuple[str, Callable[[], object]]]
"""Name of a stage, and a function that takes all images through it."""


def references(dataset: RecordDataset, draws: list[int]) -> Stages:
    paths = [dataset.get_data_info(int(i))["img_path"] for i in draws]
    for name, load in {
        "cv2 decode + resize, bilinear": opencv(cv2.INTER_LINEAR),
        "cv2 decode + resize, bicubic": opencv(cv2.INTER_CUBIC),
        "PIL decode + resize, bicubic": pillow,
    }.items():
        yield name, lambda load=load: [load(path) is None for path in paths]


def one_by_one(pipeline: list[dict]) -> list[dict]:
    """Return the transforms of a pipeline that ends in PackForDevice as transforms of one image."""
    *transforms, pack = pipeline
    return [*transforms, *pack.get("augments", ()), dict(type="mmreid_ext.PackReIDInputs")]


def transforms_of(dataset: RecordDataset, draws: list[int]) -> Stages:
    transforms = [dataset.loader, *dataset.pipeline.transforms]
    for count in range(1, len(transforms) + 1):

        def run(count: int = count) -> None:
            for i in draws:
                results = dataset.get_data_info(int(i))
                for transform in transforms[:count]:
                    results = transform(results)

        yield f"+ {type(transforms[count - 1]).__name__}", run


def to_the_network(
    dataset: RecordDataset, cfg: Config, draws: list[int], batch_size: int, kind: str
) -> Stages:
    loader = make_loader(dataset, cfg, draws, batch_size, 0)
    yield "+ seeds and collation: the whole loader", lambda: [None for _ in loader]
    network = MODELS.build(dict(IMAGENET_PREPROCESSOR, type=kind))
    yield (
        "+ data preprocessor: input of the network",
        lambda: [network(batch, training=True) is None for batch in loader],
    )


def augmentations(dataset: RecordDataset, cfg: Config, draws: list[int], size: int) -> Stages:
    """Each augmentation by itself, on images that are there."""
    batches = list(make_loader(dataset, cfg, draws, size, 0))
    for augment in batches[0]["data_samples"].pending.augments:

        def run(augment: Augment = augment) -> None:
            for batch in batches:
                pixels = batch["inputs"].permute(0, 2, 3, 1).numpy()
                seeds, steps = np.arange(len(pixels)), np.zeros(len(pixels), np.int64)
                pending = PendingAugments.drawn((augment,), seeds, steps, *pixels.shape[1:3])
                for _ in pending.on_host(pixels):
                    pass

        yield f"{type(augment).__name__} alone", run


def all_stages(dataset: RecordDataset, cfg: Config, draws: list[int], size: int) -> dict:
    found = dict(references(dataset, draws))
    pipeline = cfg.train_dataloader.dataset.pipeline
    is_batched = pipeline[-1]["type"].endswith("PackForDevice")
    found |= transforms_of(dataset, draws)
    found |= to_the_network(dataset, cfg, draws, size, "mmreid_ext.ReIDDataPreprocessor")
    if is_batched:
        with DefaultScope.overwrite_default_scope("mmpretrain"):
            single = copy.copy(dataset)
            single.pipeline = Compose(one_by_one(pipeline))
        later = dict(transforms_of(single, draws))
        later |= to_the_network(single, cfg, draws, size, "mmpretrain.ClsDataPreprocessor")
        found |= {f"one by one: {name}": run for name, run in later.items()}
        found |= augmentations(dataset, cfg, draws, size)
    return found


def make_loader(
    dataset: RecordDataset, cfg: Config, draws: list[int], batch_size: int, workers: int
) -> DataLoader:
    collate = cfg.train_dataloader.get("collate_fn", dict(type="pseudo_collate"))
    return DataLoader(
        dataset,
        batch_size,
        sampler=draws,
        num_workers=workers,
        collate_fn=COLLATE_FUNCTIONS.get(collate["type"]),
        persistent_workers=workers > 0,
    )


def without(pipeline: list[dict], types: tuple[str, ...]) -> list[dict]:
    """Leave out transforms, in lists of PackForDevice as well."""
    if not types:
        return pipeline
    kept = [copy.copy(step) for step in pipeline if not step["type"].endswith(types)]
    for step in kept:
        if "augments" in step:
            step["augments"] = without(step["augments"], types)
    return kept


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    keep_freed_memory()  # as training does
    cfg = read_config_file(args.config)
    if args.store_decoded:
        store_decoded(cfg, args.store_decoded)
    cfg.train_dataloader.dataset.pipeline = without(
        cfg.train_dataloader.dataset.pipeline, tuple(args.without)
    )
    dataset = build_dataset(args, cfg)
    sampler = PKSampler(dataset, batch_size=args.batch_size, num_instances=4, seed=0)
    draws = [draw for draw, _ in zip(sampler, range(args.images), strict=False)]
    steps = all_stages(dataset, cfg, draws, args.batch_size)
    for workers in args.workers:
        loader = make_loader(dataset, cfg, draws, args.batch_size, workers)
        steps[f"{workers} workers"] = lambda loader=loader: [None for _ in loader]
    times = medians(steps, args.repeats, clock=args.clock)
    bilinear = times["cv2 decode + resize, bilinear"]
    bicubic = times["cv2 decode + resize, bicubic"]
    print(f"{machine()}; {len(draws)} images to 256 x 128, {how(args.repeats, args.clock)}\n")
    print("| stage | images/s | us per image | of cv2 bilinear | of cv2 bicubic |")
    print("|---|---|---|---|---|")
    for name, seconds in times.items():
        rate, micros = len(draws) / seconds, 1e6 * seconds / len(draws)
        shares = f"{bilinear / seconds:.0%} | {bicubic / seconds:.0%}"
        print(f"| {name} | {rate:,.0f} | {micros:.0f} | {shares} |")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
