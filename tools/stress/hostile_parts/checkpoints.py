"""Hostile checkpoints: a good one with one value changed, and files that are none."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mmreid_ext.shorten import one_line

from .attack import Attack
from .world import World

KEY = "mmreid_ext"
TOLD = ("iter", "2**62")
INFO = ("message_hub", "runtime_info")


class Runs:
    """Unpickled, it calls ``os.system``."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple:
        return os.system, (self.command,)


def checkpoint_attacks() -> Iterator[Attack]:
    """All of them."""
    yield from _values()
    yield from _texts()
    yield from _records()
    for name, write in _FILES.items():
        telling = name in ("os.system", "a deflated part", "TorchScript")
        yield Attack("checkpoint", name, write, ".pth", telling=telling)
    yield Attack("checkpoint", "safetensors of 2^60", _safetensors, ".safetensors")


def _changed(path: Path, world: World, place: tuple[str, ...], value: Any) -> None:
    from mmreid_ext.checkpoint import safe_load, to_plain

    checkpoint = safe_load(world.base / "iter_2.pth")
    part = checkpoint
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value(world) if callable(value) else value
    torch.save(to_plain(checkpoint), path)


def _change(name: str, place: tuple[str, ...], value: Any, **options: Any) -> Attack:
    write = partial(_changed, place=place, value=value)
    return Attack("checkpoint", name, write, ".pth", **options)


def _values() -> Iterator[Attack]:
    """Values that MMEngine turns into loop bounds, paths and states; others need not mind them."""
    odd = {"'12'": "12", "2.5": 2.5, "2**62": 2**62, "-1": -1, "None": None, "nan": float("nan")}
    for text, value in odd.items():
        for key in ("iter", "epoch"):
            yield _change(
                f"meta.{key}={text}",
                ("meta", key),
                value,
                harmless=True,
                telling=(key, text) == TOLD,
            )
    for key, values in {
        "meta": [None, [], 3],
        "message_hub": [None, [], {"log_scalars": 3}],
        "optimizer": [[], {}, None, {"state": {}, "param_groups": 5}],
        "param_schedulers": [None, [3], {}, [{"last_step": 2**62}]],
        "state_dict": [None, [], {}, {"\x1b[2J": torch.zeros(1)}, {"a" * 100_000: torch.zeros(1)}],
    }.items():
        for number, value in enumerate(values):
            yield _change(
                f"{key}: {one_line(value, 20)!r} ({number})", (key,), value, harmless=True
            )
    for value in ("x", 2**40, -1, [1]):
        yield _change(f"seed={value}", ("meta", "seed"), value, harmless=True)
    victims: dict[str, Callable[[World], str]] = {
        "file": lambda world: str(world.outside / "best_tiny_mAP_iter_2.pth"),
        "folder": lambda world: str(world.outside / "folder"),
        "checkpoint": lambda world: str(world.outside / "iter_1.pth"),
    }
    for what, victim in victims.items():
        for key in ("best_ckpt", "last_ckpt"):
            telling = (key, what) == ("best_ckpt", "file")
            yield _change(f"{key}: a {what}", (*INFO, key), victim, harmless=True, telling=telling)


def _texts() -> Iterator[Attack]:
    """Texts of configurations, which MMEngine executes."""

    def code(world: World) -> str:
        return f"open({str(world.canary)!r}, 'w')\nmodel = dict(type='ResNet')\n"

    places = {"meta.config": ("meta", "config"), "meta.cfg": ("meta", "cfg")}
    places["message_hub cfg"] = (*INFO, "cfg")
    for name, place in places.items():
        telling = name != "meta.cfg"
        yield _change(f"code in {name}", place, code, harmless=True, telling=telling)
    text = "model = dict(type='os.mkdir', path={!r})\n"
    yield _change(
        "a call as type in cfg",
        (*INFO, "cfg"),
        lambda world: text.format(str(world.canary)),
        harmless=True,
    )


def _records() -> Iterator[Attack]:
    """Records of use, from which models and pipelines are built."""
    config = ("meta", KEY, "config")
    pipeline = (*config, "test_dataloader", "dataset", "pipeline")
    call: Callable[[World], Any] = lambda w: {"type": "os.mkdir", "path": str(w.canary)}  # noqa: E731
    evil: Callable[[World], Any] = lambda w: [  # noqa: E731
        {"type": "torchvision/ToTensor"},
        {
            "type": "torchvision/ConvertImageDtype",
            "dtype": f"float32 if open({str(w.canary)!r}, 'w') else 0",
        },
    ]
    yield _change("a call as model", (*config, "model"), call, harmless=True)
    yield _change("a call as backbone", (*config, "model", "backbone"), call, harmless=True)
    yield _change("a call in the pipeline", pipeline, lambda w: [call(w)], harmless=True)
    yield _change("code as dtype", pipeline, evil, harmless=True, telling=True)
    backbone = (*config, "model", "backbone")
    for key, value in {
        "base_channels": 10**6,
        "stem_channels": 2**40,
        "num_stages": 10**9,
        "depth": "x",
        "in_channels": -1,
    }.items():
        yield _change(f"backbone.{key}={value}", (*backbone, key), value, harmless=True)
    head = (*config, "model", "head")
    yield _change("head.num_classes=10**10", (*head, "num_classes"), 10**10, harmless=True)
    yield _change("head.in_channels=10**9", (*head, "in_channels"), 10**9, harmless=True)
    for value in ((10**6, 10**6), (0, 0), "x", (10**9, 1)):
        steps = [{"type": "Resize", "scale": value}, {"type": "mmreid_ext.PackReIDInputs"}]
        yield _change(f"Resize to {value}", pipeline, steps, harmless=True)
    record = ("meta", KEY)
    for value in (None, [], {"format": 1}, {"format": 10**30}, {"format": 1, "config": 3}):
        yield _change(f"record {one_line(value, 40)}", record, value, harmless=True)
    for value in ([3], [{"fpr": "x"}], [{"fpr": float("nan"), "similarity": "\x1b[2J"}], 3):
        yield _change(
            f"thresholds {one_line(value, 30)!r}", (*record, "thresholds"), value, harmless=True
        )


def _pickled(path: Path, world: World) -> None:
    torch.save({"state_dict": {}, "meta": Runs(f"touch {world.canary}")}, path)


def _old_format(path: Path, world: World) -> None:
    content = {"meta": Runs(f"touch {world.canary}")}
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _bare(path: Path, world: World) -> None:
    path.write_bytes(pickle.dumps(Runs(f"touch {world.canary}")))


def _script(path: Path, world: World) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))


def _tar(path: Path, world: World) -> None:
    with tarfile.open(path, "w") as archive:
        content = pickle.dumps(Runs(f"touch {world.canary}"))
        for name in ("sys_info", "pickle", "storages", "tensors", "../../outside/victim.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _stride(path: Path, world: World) -> None:
    torch.save({"state_dict": {"w": torch.zeros(1).expand(2**32)}}, path)


def _bytearray(path: Path, world: World) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return bytearray, (2**32,)

    torch.save({"meta": Bomb()}, path)


def _nested(path: Path, world: World) -> None:
    nested = ["x"]
    for _ in range(40):
        nested = [nested, nested]
    torch.save({"state_dict": {}, "meta": {"a": nested}}, path)


def _inflated(path: Path, world: World, part: str) -> None:
    content = io.BytesIO()
    torch.save({"state_dict": {"w": torch.zeros(4)}}, content)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            big = bytes(2**29) if name.endswith(part) else old.read(name)
            new.writestr(name, big)


def _truncated(path: Path, world: World) -> None:
    path.write_bytes((world.base / "iter_2.pth").read_bytes()[:-2000])


def _flipped(path: Path, world: World) -> None:
    content = bytearray((world.base / "iter_2.pth").read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _safetensors(path: Path, world: World) -> None:
    path.write_bytes((2**60).to_bytes(8, "little") + b'{"w":{}}')


_FILES: dict[str, Callable[[Path, World], None]] = {
    "os.system": _pickled,
    "os.system, old format": _old_format,
    "os.system, a bare pickle": _bare,
    "TorchScript": _script,
    "tar": _tar,
    "a stride of zero": _stride,
    "bytearray(2**32)": _bytearray,
    "lists within lists": _nested,
    "a deflated part": partial(_inflated, part="/data/0"),
    "a deflated pickle": partial(_inflated, part="/data.pkl"),
    "cut short": _truncated,
    "a flipped byte": _flipped,
    "empty": lambda path, world: path.write_bytes(b""),
    "text": lambda path, world: path.write_text("\x1b[2J not a checkpoint\n" * 10),
    "a folder": lambda path, world: path.mkdir(),
}
