"""Hostile texts: results files, split files, lists, COCO files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .attack import Attack
from .world import World

ESCAPE = "\x1b[2J\x1b]0;owned\x07"
DIGITS = "9" * 4300


def document_attacks() -> Iterator[Attack]:
    """All of them."""
    for name, change in _RESULTS.items():
        write = partial(_results, change=change)
        yield Attack("results", name, write, ".json", harmless=name in _SHOWN)
    for name, text in {**_JSON, **_SPLITS}.items():
        telling = name in ("deep", "an id of 2^63")
        yield Attack("split", name, partial(_text, text=text), ".json", telling=telling)
    for kind in ("results", "coco"):
        for name, text in _JSON.items():
            telling = kind == "results" and name in ("deep", "4,300 digits")
            yield Attack(kind, name, partial(_text, text=text), ".json", telling=telling)
    for name, text in _COCO.items():
        yield Attack("coco", name, partial(_text, text=json.dumps(text)), ".json", harmless=True)
    for name, lines in _CSV.items():
        telling = name in ("a stray quote", "an id of 4,300 digits")
        write = partial(_list, content=lines)
        yield Attack("csv", name, write, ".csv", harmless=True, telling=telling)
    for name, lines in _PAIRS.items():
        yield Attack("pairs", name, partial(_raw, content=lines), ".csv")


def _text(path: Path, world: World, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _raw(path: Path, world: World, content: bytes) -> None:
    path.write_bytes(content)


def _list(path: Path, world: World, content: bytes) -> None:
    """A list beside its pictures."""
    path.write_bytes(content)
    for picture in world.data.glob("*.png"):
        shutil.copy(picture, path.parent)


def _results(path: Path, world: World, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((world.base / "results.json").read_text())
    change(document)
    path.write_text(json.dumps(document))


def _first(document: dict[str, Any]) -> dict[str, Any]:
    return next(iter(document["test_sets"].values()))


def _renamed(document: dict[str, Any], name: str) -> None:
    document["test_sets"] = {name: _first(document)}


def _query(document: dict[str, Any], key: str, value: Any) -> None:
    _first(document)["queries"][key][0] = value


_SHOWN = (
    *("escapes in values", "sha256: a list"),
    *("ids of 2^63", "no settings", "notes of lists"),
)
_RESULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "no test sets": lambda d: d.pop("test_sets"),
    "test sets: a list": lambda d: d.update(test_sets=[3]),
    "no queries": lambda d: _first(d).pop("queries"),
    "no AP": lambda d: _first(d)["plain"].pop("ap"),
    "AP: text": lambda d: _first(d)["plain"].update(ap="x"),
    "AP: 2": lambda d: _first(d)["plain"]["ap"].__setitem__(0, 2.0),
    "AP: NaN": lambda d: _first(d)["plain"]["ap"].__setitem__(0, float("nan")),
    "AP: too many": lambda d: _first(d)["plain"]["ap"].append(0.5),
    "ids of 2^63": lambda d: _query(d, "pid", 2**63),
    "ids of 2^200": lambda d: _query(d, "pid", 2**200),
    "cameras of 2^63": lambda d: _query(d, "camid", 2**63),
    "ids: text": lambda d: _query(d, "pid", "x"),
    "names: numbers": lambda d: _query(d, "name", 3),
    "escapes in the set's name": lambda d: _renamed(d, ESCAPE),
    "a set of 300 letters": lambda d: _renamed(d, "x" * 300),
    "escapes in values": lambda d: d.update(settings={"distance": ESCAPE}, checkpoint={"a": 1}),
    "no settings": lambda d: d.pop("settings"),
    "notes of lists": lambda d: d.update(training={"config": [1], "fingerprint": {}}),
    "deep settings": lambda d: d.update(settings={"distance": json.loads("[" * 500 + "]" * 500)}),
    "checkpoint: a list": lambda d: d.update(checkpoint=[1]),
    "sha256: a list": lambda d: d.update(checkpoint={"sha256": [1]}),
    "protocol: a number": lambda d: _first(d).update(protocol=3),
    "protocol: odd": lambda d: _first(d).update(protocol={"name": [ESCAPE]}),
    "gallery: odd": lambda d: _first(d).update(data={"gallery": {"sha256": [1]}}),
    "gallery's size: a list": lambda d: _first(d).update(num_gallery=[3]),
    "embeddings: a list": lambda d: _first(d).update(data={"embeddings": [3]}),
    "re-ranking without settings": lambda d: _first(d).update(rerank={**_first(d)["plain"]}),
    "people's names: a list": lambda d: _first(d)["queries"].update(pid_names=[ESCAPE]),
    "data: a list": lambda d: _first(d).update(data=[3]),
}

_JSON = {
    "deep": "[" * 200_000,
    "deep and closed": "[" * 100_000 + "]" * 100_000,
    "4,300 digits": f'{{"format": {DIGITS}9}}',
    "not JSON": ESCAPE,
    "empty": "",
    "a number": "3",
    "a list of numbers": "[1, 2]",
    "NUL bytes": '{"format": "\x00"}',
    "half a surrogate": '{"format": "\\ud800"}',
    "infinite": '{"format": 1e999}',
}

_OURS = {"format": "mmreid_ext-splits-1"}
_SPLITS = {
    name: json.dumps(value)
    for name, value in {
        "no splits": _OURS,
        "splits: text": {**_OURS, "splits": "x"},
        "splits of text": {**_OURS, "splits": [["a"]]},
        "an id of 2^63": {**_OURS, "splits": [[2**63]]},
        "an id of NaN": {**_OURS, "splits": [[float("nan")]]},
        "count: text": {**_OURS, "splits": [[1]], "count": "x"},
        "query: odd": {**_OURS, "splits": [[1]], "query": {"__class__": 3}},
        "query: a list": {**_OURS, "splits": [[1]], "query": [1]},
        "picks: odd": {**_OURS, "splits": [[1]], "picks": [[["a", 2**70]]]},
        "images: numbers": [{"query": [1], "gallery": [[]]}],
        "images: none": [{"query": None, "gallery": {"a": 1}}],
        "identities: no numbers": [{"train": ["a"], "test": [ESCAPE]}],
        "identities: long": [{"train": ["1"], "test": ["9" * 4400]}],
        "identities: lists": [{"train": 3, "test": [["1"]]}],
    }.items()
}

_BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 8], "person_id": 1}
_COCO = {
    "no images": {"annotations": [_BOX]},
    "an image above": {"images": [{"id": 1, "file_name": "../" * 9 + "etc/passwd"}]},
    "boxes of text": {
        "images": [{"id": 1, "file_name": "1.png"}],
        "annotations": [{**_BOX, "bbox": ["a", 1, 2, 3]}],
    },
    "boxes without end": {
        "images": [{"id": 1, "file_name": "1.png"}],
        "annotations": [{**_BOX, "bbox": [0, 0, 1e300, 2**70]}],
    },
    "identities of odd kinds": {
        "images": [{"id": 1, "file_name": "1.png"}],
        "annotations": [{**_BOX, "person_id": v} for v in ([], {}, None, "..", "x" * 300, ESCAPE)],
    },
    "numbers as names": {"images": [{"id": 1, "file_name": 3}], "annotations": [_BOX]},
    "lists": {"images": 3, "annotations": "x"},
}

_HEAD = b"path,pid,camid,split\n"
_ROWS = b"".join(
    b"%d.png,%d,%d,%s\n" % (n, n // 4, n % 2, b"train" if n < 8 else (b"query", b"gallery")[n % 2])
    for n in range(16)
)
_CSV = {
    "a stray quote": _HEAD + b'"' + b"1.png,0,0,train\n" * 10_000,
    "a quote in the middle": _HEAD + b'1.p"ng,0,0,train\n' + _ROWS,
    "an id of 4,300 digits": _HEAD + b"1.png," + b"9" * 4400 + b",0,train\n" + _ROWS,
    "an id of 2^63": _HEAD + b"1.png,9223372036854775808,0,train\n" + _ROWS,
    "a camera of 2^63": _HEAD + b"1.png,0,9223372036854775808,train\n" + _ROWS,
    "an id of nan": _HEAD + b"1.png,nan,0,train\n" + _ROWS,
    "wrong encoding": _HEAD + b"\xff\xfe1.png,0,0,train\n" + _ROWS,
    "Latin-1": _HEAD + b"caf\xe9.png,0,0,train\n" + _ROWS,
    "UTF-16 without a mark": (_HEAD + _ROWS).decode().encode("utf-16-le"),
    "NUL bytes": _HEAD + b"1\0.png,0,0,train\n" + _ROWS,
    "all NUL": bytes(100_000),
    "escapes": _HEAD + ESCAPE.encode() + b".png," + ESCAPE.encode() + b",0,train\n" + _ROWS,
    "a path above": _HEAD + b"../outside/victim.txt,0,0,train\n" + _ROWS,
    "an absolute path": _HEAD + b"/etc/passwd,0,0,train\n" + _ROWS,
    "a device": _HEAD + b"/dev/zero,0,0,train\n" + _ROWS,
    "a name of 300 letters": _HEAD + b"x" * 300 + b".png,0,0,train\n" + _ROWS,
    "a name of 100,000 letters": _HEAD + b"x" * 100_000 + b".png,0,0,train\n" + _ROWS,
    "identities of odd names": _HEAD + b"1.png,..,0,train\n2.png,/,0,train\n" + _ROWS,
    "10,000 columns": b",".join(b"c%d" % n for n in range(10_000)) + b"\n" + _ROWS,
    "empty": b"",
    "no rows": _HEAD,
    "boxes without end": b"path,pid,camid,split,x,y,w,h\n1.png,0,0,train,0,0,1e300,99999999999\n",
}
_PAIRS = {
    "a stray quote": b'a,b\n"' + b"1.png,2.png\n" * 20_000,
    "NUL bytes": b"a,b\n1\0.png,2.png\n",
    "escapes": b"a,b\n" + ESCAPE.encode() + b",2.png\n",
    "wrong encoding": b"a,b\n\xff.png,2.png\n",
    "one column": b"a\n1.png\n",
    "a device": b"a,b\n/dev/zero,/dev/zero\n",
}
