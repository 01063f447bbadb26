"""Files that readers take, damaged: each is read, or refused in one line that is ours."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.config_files.reading import read_config_file
from mmreid_ext.datasets import SOP, CSVDataset, Market1501
from mmreid_ext.datasets.own_images.tables import read_own_table
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.features_file import (
    load_features,
    notes_as_data,
    saved_protocols,
)
from mmreid_ext.evaluation.results.results_file import read_results
from mmreid_ext.protocols import build_protocol
from mmreid_ext.protocols.image_table import ImageTable
from mmreid_ext.protocols.split_files import FORMAT
from mmreid_ext.shorten import one_line

from .feature_arrays import other_arrays, sound_features
from .mutation import mutated, mutated_name, mutated_value
from .running import Mismatch, Part

_LONGEST = 2500


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Args:
        name: Its file name.
        content: A sound one.
        read: Reads it and looks at what it got.
    """

    name: str
    content: bytes
    read: Callable[[Path], Any]


def tried(read: Callable[[], Any]) -> str:
    """Read something damaged; only errors of ours, of printable lines, are taken."""
    try:
        read()
    except UserError as error:
        text = str(error)
        if not text.replace("\n", "").isprintable() or len(text) > _LONGEST or not text.strip():
            raise Mismatch(f"the message can't be printed: {one_line(text, 300)!r}") from error
        return "refused"
    return "read"


def prepare(folder: Path) -> tuple[Path, list[Kind]]:
    """Make the sound files."""
    for name in ("a", "bicycle"):
        (folder / "shop" / name).mkdir(parents=True)
        for number in range(24):  # images that a list names: readers ask for some of them
            (folder / "shop" / name / f"{number}.{'jpg' if name == 'a' else 'JPG'}").touch()
    for name in ("b,1.jpg", "c.jpg"):
        (folder / "shop" / name).touch()
    kinds = [*_tables(), *_arrays(), *_documents(), *_configurations()]
    for kind in kinds:
        path = folder / "shop" / kind.name
        path.write_bytes(kind.content)
        kind.read(path)  # what is sound is read
        path.unlink()
    return folder, kinds


def case(rng: np.random.Generator, prepared: tuple[Path, list[Kind]]) -> str:
    """Damage one file, and read it."""
    folder, kinds = prepared
    place = int(rng.integers(0, len(kinds) + 2))
    if place >= len(kinds):
        return _names(rng, folder)
    kind = kinds[place]
    content = kind.content
    if kind.name.endswith(".json") and rng.random() < 0.6:
        content = json.dumps(mutated_value(rng, json.loads(content))).encode()
    elif kind.name.endswith(".npz") and rng.random() < 0.5:
        content = other_arrays(rng)
    else:
        content = mutated(rng, content)
    path = folder / "shop" / kind.name
    path.write_bytes(content)
    try:
        return f"{kind.name}: {tried(lambda: kind.read(path))}"
    finally:
        path.unlink()


def _tables() -> list[Kind]:
    rows = ["path,pid,camid,split,x,y,w,h"]
    rows += [f"a/{i}.jpg,{i % 5},{i % 3},{'query' if i % 4 else 'gallery'},,,," for i in range(24)]
    rows += ['"b,1.jpg",anna,door,train,1,2,30,40', "c.jpg,5,none,gallery,0,0,9,9"]
    table = "\n".join(rows).encode()
    own = b"file;person;cam;split\r\n" + b"".join(
        b"%d.jpg;p%d;c%d;\r\n" % (i, i % 4, i % 2) for i in range(20)
    )
    listed = ["image_id class_id super_class_id path"]
    listed += [f"{i} {i // 2} {i % 3} bicycle/{i}.JPG" for i in range(1, 20)]
    return [
        Kind("annotations.csv", table, lambda path: _check_set(
            CSVDataset(path.name, path.parent, mode="test", check=False))),
        Kind("own.csv", own, read_own_table),
        Kind("Ebay_test.txt", "\n".join(listed).encode(), _read_sop),
    ]  # fmt: skip


def _read_sop(path: Path) -> None:
    other = path.with_name("Ebay_train.txt")
    other.write_text("image_id class_id super_class_id path\n1 1 1 a/1.JPG\n2 1 1 a/2.JPG\n")
    _check_set(SOP(path.parent.parent, folder=path.parent.name, mode="test", check=False))


def _check_set(dataset: Any) -> None:
    table, paths = dataset.image_table(), dataset.image_paths()
    if not len(table) == len(paths) == len(dataset) or not all(paths):
        raise Mismatch(f"{len(table)} images, {len(paths)} paths, {len(dataset)} entries")
    if not set(table.roles.tolist()) <= {"query", "gallery", "train"}:
        raise Mismatch(f"roles {set(table.roles.tolist())}")


def _names(rng: np.random.Generator, folder: Path) -> str:
    """Damage names of Market-1501's layout."""
    root = folder / "Market-1501-v15.09.15"
    for part in ("bounding_box_train", "query", "bounding_box_test"):
        (root / part).mkdir(parents=True)
        for number in range(4):
            name = f"000{number // 2 + 1}_c{number % 2 + 1}s1_00045{number}_03.jpg"
            (root / part / (mutated_name(rng, name) if rng.random() < 0.4 else name)).touch()
    try:
        mode = str(rng.choice(["train", "test"]))
        ended = tried(lambda: _check_set(Market1501(folder, mode=mode, check=False)))
        return f"names: {ended}"
    finally:
        shutil.rmtree(root)


def _arrays() -> list[Kind]:
    file = io.BytesIO()
    np.savez(file, **sound_features())
    return [Kind("features.npz", file.getvalue(), _read_features)]


def _read_features(path: Path) -> None:
    images, notes = load_features(path)
    notes_as_data(notes, path)
    saved_protocols(notes, path)
    if not len(images.feats) == len(images.pids) == len(images.names):
        raise Mismatch("columns of several lengths")


def _documents() -> list[Kind]:
    result = dict(
        format="mmreid_ext-results-1",
        metrics={"shop/mAP": 50.0, "shop/R1": None},
        settings={},
        training=None,
        checkpoint=dict(file="best.pth"),
        test_sets=dict(
            shop=dict(
                protocol=dict(type="CameraProtocol", ranks=[1, 5]),
                queries=dict(name=["a", "b"], pid=[1, 2], camid=[0, 1], weight=[0.5, 0.5]),
                plain=dict(ap=[0.5, None], top1=[1, 0]),
                rerank=None,
            )
        ),
    )
    sides = dict(query={"role": "query"}, gallery={"camid": 1})
    own = dict(format=FORMAT, splits=[[0, 1], [1]], by_position=True, count=3, min_pid=0, **sides)
    picks = dict(format=FORMAT, splits=[[0, 1], [1]], picks=[[[5, 6], [7, 8]], [[1, 2]]])
    images = [dict(train=[], query=["0.jpg", ["2.jpg", 1, 0]], gallery=["1.jpg", "3.jpg"])]
    people = [dict(train=["p_0", "p_1"], test=["p_2"]), dict(train=["p_2"], test=["p_1", "p_0"])]
    kinds = [Kind("results.json", json.dumps(result).encode(), lambda p: read_results(p, True))]
    for name, content in (("own", own), ("picks", picks), ("images", images), ("people", people)):
        kinds.append(Kind(f"{name}.json", json.dumps(content).encode(), _read_splits))
    return kinds


def _read_splits(path: Path) -> None:
    count = 12
    images = ImageTable(
        np.arange(count) // 4,
        np.arange(count) % 2,
        np.array(["query", "gallery"] * 6),
        np.full(count, "shop"),
        np.array([f"{i}.jpg" for i in range(count)]),
    )
    for split in build_protocol(dict(type="split_list", file=str(path))).splits(images):
        for rows in (split.query, split.gallery):
            if rows.dtype != np.int64 or (len(rows) and not 0 <= rows.min() <= rows.max() < count):
                raise Mismatch(f"a split has the rows {rows}")


def _configurations() -> list[Kind]:
    lines = [
        "sampler: &a {type: mmreid_ext.PKSampler, num_instances: 4}",
        "optim_wrapper: {optimizer: {type: Adam, lr: 1.0e-3, betas: [0.9, 0.99]}}",
        "train_cfg: !!python/tuple [1, 2]",
        "other: *a",
        "default_scope: mmpretrain",
    ]
    data = dict(
        sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
        lr=[1, 2.5, None],
        words="é {{ fileBasename }}",
    )
    return [
        Kind("config.yml", "\n".join(lines).encode(), read_config_file),
        Kind("config.json", json.dumps(data).encode(), read_config_file),
    ]


PART = Part(
    "readers",
    "CSV lists, file names, features, results, split files, YAML and JSON configurations, damaged",
    case,
    prepare,
)
