"""Hostile arrays, pictures, galleries and exported models."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from .attack import Attack
from .checkpoints import Runs
from .documents import ESCAPE
from .world import World


def other_attacks() -> Iterator[Attack]:
    """All of them."""
    for name, change in _ARRAYS.items():
        telling = name in ("an object", "a set named ..")
        write = partial(_features, change=change)
        yield Attack("features", name, write, ".npz", harmless=True, telling=telling)
    for name, file in _ARCHIVES.items():
        yield Attack("features", name, file, ".npz", telling=name == "deflated 500-fold")
    for name, (suffix, content) in _PICTURES.items():
        telling = name == "a PNG chunk of 2 GB"
        yield Attack("picture", name, partial(_raw, content=content), suffix, telling=telling)
    for name, statement in _STATEMENTS.items():
        yield Attack("gallery", name, partial(_gallery, statement=statement), ".db", harmless=True)
    yield Attack("gallery", "no database", partial(_raw, content=lambda: b"x" * 5000), ".db")
    yield Attack("gallery", "a cut one", _cut_gallery, ".db", harmless=True)
    for name, change in _MODEL_RECORDS.items():
        write = partial(_model, change=change)
        yield Attack("exported", name, write, ".onnx")
    yield Attack("exported", "no model", partial(_raw, content=lambda: b"\x08" * 3000), ".onnx")
    yield Attack("exported", "weights outside", _outside, ".onnx")
    yield Attack("exported", "an XML bomb", _xml, ".xml")
    yield Attack("exported", "a program", _program, ".torchscript")


def _raw(path: Path, world: World, content: Callable[[], bytes]) -> None:
    path.write_bytes(content())


def _features(path: Path, world: World, change: Callable[[dict[str, Any], World], None]) -> None:
    with np.load(world.base / "features.npz") as file:
        arrays = dict(file)
    change(arrays, world)
    np.savez(path, **arrays)


def _put(name: str, value: Any) -> Callable[[dict[str, Any], World], None]:
    def change(arrays: dict[str, Any], world: World) -> None:
        arrays[name] = value(arrays[name]) if callable(value) else np.asarray(value)

    return change


def _text_like(text: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda old: np.full(len(old), text)


def _runs(arrays: dict[str, Any], world: World) -> None:
    arrays["names"] = np.array([Runs(f"touch {world.canary}")], dtype=object)


_ARRAYS: dict[str, Callable[[dict[str, Any], World], None]] = {
    "an object": _runs,
    "no features": lambda arrays, world: arrays.pop("feats"),
    "features of text": _put("feats", lambda old: old.astype("U8")),
    "features of NaN": _put("feats", lambda old: np.full_like(old, np.nan)),
    "features of 10^38": _put("feats", lambda old: np.full_like(old, 3e38)),
    "features of no width": _put("feats", lambda old: old[:, :0]),
    "ids of 2^63": _put("pids", lambda old: np.full(len(old), 2**63, dtype=np.uint64)),
    "ids of -2^63": _put("pids", lambda old: np.full(len(old), -(2**63))),
    "cameras of text": _put("camids", _text_like("1")),
    "roles of others": _put("roles", _text_like("owner")),
    "too few names": _put("names", lambda old: old[:2]),
    "a set named ..": _put("datasets", _text_like("..")),
    "a set named above": _put("datasets", _text_like("../../outside/folder")),
    "a set of 300 letters": _put("datasets", _text_like("x" * 300)),
    "escapes as set": _put("datasets", _text_like(ESCAPE)),
    "escapes as names": _put("names", _text_like(ESCAPE + ".png")),
    "names of markup": _put("names", _text_like("<script>alert(1)</script>.png")),
    "names above": _put("names", _text_like("../outside/victim.txt")),
    "names of the system": _put("names", _text_like("/etc/passwd")),
    "protocols of code": _put("note_protocols", '{"tiny": {"type": "os.system"}}'),
    "protocols of bombs": _put(
        "note_protocols", '{"tiny": {"type": "single_gallery_shot", "repeats": 1000000000}}'
    ),
    "deep protocols": _put("note_protocols", "[" * 100_000),
    "protocols: a list": _put("note_protocols", "[1]"),
    "checkpoint: deep": _put("note_checkpoint", "{" * 5000),
    "training: a number": _put("note_training", "3"),
    "pid_names: odd": _put("note_pid_names", '{"tiny": {"1": 3, "x": [1]}}'),
    "pid_names: escapes": _put("note_pid_names", json.dumps({"tiny": {"2": ESCAPE}})),
}


def _declared(path: Path, world: World) -> None:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**15)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("feats.npy", header.getvalue() + bytes(64))


def _deflated(path: Path, world: World) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        header = BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": (2**14, 2**13)}
        )
        archive.writestr("feats.npy", header.getvalue() + bytes(2**29))


def _cut_features(path: Path, world: World) -> None:
    path.write_bytes((world.base / "features.npz").read_bytes()[:-300])


_ARCHIVES: dict[str, Callable[[Path, World], None]] = {
    "128 GB declared": _declared,
    "deflated 500-fold": _deflated,
    "cut short": _cut_features,
    "empty": lambda path, world: path.write_bytes(b""),
}


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(chunks) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    size = struct.pack(">I", len(content) if length is None else length)
    return size + name + content + struct.pack(">I", zlib.crc32(name + content))


_DATA = zlib.compress(bytes(1000))
_PICTURES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a PNG chunk of 2 GB": (".png", lambda: _png(8, 16, _chunk(b"IDAT", _DATA, 2**31 - 1))),
    "a PNG of 50,000 squared": (".png", lambda: _png(50_000, 50_000, _chunk(b"IDAT", _DATA))),
    "a PNG of nothing": (".png", lambda: _png(0, 0)),
    "a GIF of 65,535 squared": (".gif", lambda: b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(50)),
    "a BMP of 2^31": (
        ".bmp",
        lambda: (
            b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 2**30, 2**30, 1, 24, *[0] * 6)
        ),
    ),
    "a WebP of nothing": (".webp", lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(30)),
    "a TIFF of loops": (".tif", lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(40)),
    "a JPEG of half": (".jpg", lambda: b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(500)),
    "text": (".jpg", lambda: ESCAPE.encode() * 20),
    "SVG": (".png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/>"),
    "empty": (".png", lambda: b""),
}


def _gallery(path: Path, world: World, statement: str) -> None:
    path.write_bytes((world.base / "people.db").read_bytes())
    with sqlite3.connect(path) as database:
        database.executescript(statement)
    database.close()


def _cut_gallery(path: Path, world: World) -> None:
    path.write_bytes((world.base / "people.db").read_bytes()[:6000])


_STATEMENTS = {
    "a table more": "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1000));",
    "a view": "CREATE VIEW v AS SELECT load_extension('/tmp/x');",
    "no tables": "PRAGMA writable_schema=1; DELETE FROM sqlite_master;",
}


def _model(path: Path, world: World, change: Callable[[dict[str, Any]], Any]) -> None:
    import onnx

    model = onnx.load(str(world.base / "model.onnx"))
    for entry in model.metadata_props:
        if entry.value.lstrip().startswith("{"):
            record = json.loads(entry.value)
            change(record)
            entry.value = json.dumps(record)
    onnx.save(model, str(path))


_MODEL_RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a size of 10^9": lambda r: r["input"].update(height=10**9, width=10**9),
    "a size of text": lambda r: r["input"].update(height="x"),
    "an embedding of 10^9": lambda r: r["embedding"].update(size=10**9),
    "no input": lambda r: r.pop("input"),
    "steps of others": lambda r: r["input"].update(steps=[{"type": "os.system"}]),
    "steps without end": lambda r: r["input"].update(
        steps=[{"type": "resize_edge", "edge": "short", "size": 10**9}] * 100
    ),
    "means of text": lambda r: r["input"].update(mean=["a", "b", "c"]),
    "a deviation of 0": lambda r: r["input"].update(std=[0, 0, 0]),
    "format 10^30": lambda r: r.update(format=10**30),
    "thresholds: a number": lambda r: r.update(thresholds=3),
}


def _outside(path: Path, world: World) -> None:
    import onnx

    model = onnx.load(str(world.base / "model.onnx"))
    for tensor in model.graph.initializer[:1]:
        size = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        place = {"location": "../outside/victim.txt", "offset": "0", "length": str(size)}
        for key, value in place.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())


def _xml(path: Path, world: World) -> None:
    entities = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    path.write_text(f"<!DOCTYPE net [<!ENTITY a0 'x'>{entities}]><net version='11'>&a9;</net>")
    path.with_suffix(".bin").write_bytes(b"\0" * 100)


def _program(path: Path, world: World) -> None:
    import torch

    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
