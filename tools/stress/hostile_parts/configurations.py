"""Hostile configurations of data: what they name would be imported, called or executed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .attack import Attack
from .world import World

Change = Callable[[dict[str, Any], World], None]


def configuration_attacks() -> Iterator[Attack]:
    """All of them, as YAML or JSON."""
    for suffix in (".json", ".yml"):  # JSON is YAML, too
        for name, change in _CHANGES.items():
            write = partial(_write, change=change)
            telling = suffix == ".yml" and name in ("a call as hook", "a module beside it")
            title = f"{name} ({suffix})"
            # whoever only embeds needs no optimizer
            harmless = name == "a module beside it"
            yield Attack("configuration", title, write, suffix, harmless, telling)
    for name, text in _YAML.items():
        telling = name == "a tag of Python"
        yield Attack("configuration", name, partial(_text, text=text), ".yml", telling=telling)
    misspelt: dict[str, Change] = {
        "train_cfg.max_itres": lambda cfg, world: cfg["train_cfg"].update(max_itres=3),
        "losses.ce.epsilonn": lambda cfg, world: _losses(cfg)["ce"].update(epsilonn=0.1),
        "checkpoint.intervall": lambda cfg, world: _hook(cfg).update(intervall=1),
    }
    for name, change in misspelt.items():
        # whoever only tests passes over settings of training
        write = partial(_write, change=change)
        yield Attack("configuration", f"misspelt {name}", write, ".json", harmless=True)


def _losses(cfg: dict[str, Any]) -> dict[str, Any]:
    return cfg["model"]["head"]["losses"]


def _hook(cfg: dict[str, Any]) -> dict[str, Any]:
    return cfg["default_hooks"]["checkpoint"]


def _write(path: Path, world: World, change: Change) -> None:
    """The configuration of the run with one change, and modules beside it that leave a mark."""
    from mmengine.config import Config

    cfg = json.loads(json.dumps(Config.fromfile(world.config).to_dict()))
    change(cfg, world)
    path.write_text(json.dumps(cfg))
    for name in ("evil", "SGDX", "base"):
        (path.parent / f"{name}.py").write_text(f"open({str(world.canary)!r}, 'w')\n")
    (path.parent / "scope").mkdir()
    (path.parent / "scope" / "registry.py").write_text(f"open({str(world.canary)!r}, 'w')\n")


def _text(path: Path, world: World, text: str) -> None:
    path.write_text(text.replace("CANARY", str(world.canary)))


def _call(world: World) -> dict[str, Any]:
    return {"type": "pathlib.Path.touch", "self": str(world.canary)}


def _make(world: World) -> dict[str, Any]:
    return {"type": "os.mkdir", "path": str(world.canary)}


def _odd_key(cfg: dict[str, Any], world: World) -> None:
    cfg["a"] = {f"b': open({str(world.canary)!r}, 'w'), 'c": 1}


_CHANGES: dict[str, Change] = {
    "a call as model": lambda cfg, w: cfg.update(model=_make(w)),
    "a call as hook": lambda cfg, w: cfg.update(custom_hooks=[_make(w)]),
    "a call as optimizer": lambda cfg, w: cfg["optim_wrapper"].update(optimizer=_make(w)),
    "a call as data set": lambda cfg, w: cfg["test_dataloader"].update(dataset=_make(w)),
    "a call as transform": lambda cfg, w: cfg["test_dataloader"]["dataset"]["pipeline"].insert(
        0, _make(w)
    ),
    "a call as evaluator": lambda cfg, w: cfg.update(test_evaluator=_call(w)),
    "a call as loss": lambda cfg, w: _losses(cfg).update(ce=_make(w)),
    "a call as runner": lambda cfg, w: cfg.update(runner_type="os.mkdir"),
    "a module to import": lambda cfg, w: cfg.update(custom_imports={"imports": ["evil"]}),
    "a module beside it": lambda cfg, w: cfg["optim_wrapper"].update(optimizer={"type": "SGDX"}),
    "a scope": lambda cfg, w: cfg.update(default_scope="scope"),
    "a scope in a type": lambda cfg, w: cfg["model"].update(type="scope.ReIDModel"),
    "a base of code": lambda cfg, w: cfg.update(_base_="base.py"),
    "bases above": lambda cfg, w: cfg.update(_base_=["../" * 20 + "etc/passwd"]),
    "itself as base": lambda cfg, w: cfg.update(_base_=["file.yml", "file.json"]),
    "code as dtype": lambda cfg, w: cfg["test_dataloader"]["dataset"]["pipeline"].insert(
        0,
        {"type": "torchvision/ConvertImageDtype", "dtype": f"int8 if open({str(w.canary)!r},'w')"},
    ),
    "a pickle": lambda cfg, w: cfg["test_dataloader"]["dataset"].update(ann_file="list.pkl"),
    "code in a key": _odd_key,
    "types that are lists": lambda cfg, w: cfg["model"].update(type=["os.mkdir"]),
    "300 levels": lambda cfg, w: cfg.update(a=json.loads("[" * 300 + "]" * 300)),
}

_YAML = {
    "a tag of Python": "a: !!python/object/apply:os.system ['touch CANARY']\n",
    "a new object": "a: !!python/object/new:os.system ['touch CANARY']\n",
    "a module as tag": "a: !!python/module:antigravity\n",
    "aliases of aliases": "l0: &l0 [1,1,1,1,1,1,1,1,1,1]\n"
    + "".join(f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    "itself": "&a [*a]\n",
    "100,000 brackets": "a: " + "[" * 100_000 + "\n",
    "a number of 5,000 digits": f"a: {'9' * 5000}\n",
    "bytes": "\udcff\x00".encode("utf-8", "surrogateescape").decode("latin1"),
    "a list": "[1, 2]\n",
    "escapes": '"\\e[2J": {type: "\\e[2J.x"}\n',
}
