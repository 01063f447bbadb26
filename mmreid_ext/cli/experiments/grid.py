"""Read ``--grid KEY=VALUE,VALUE``: the settings that an experiment tries."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmreid_ext.cli.config_keys import READ
from mmreid_ext.cli.config_options import ConfigOptions
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line, shorten
from mmreid_ext.suggest import did_you_mean

_LONGEST_NAME = 100
"""Characters of a folder's name; file systems allow 255 bytes."""

_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "'\""


@dataclass(frozen=True)
class Setting:
    """One point of a grid.

    Args:
        name: What tables call it: ``gate_lr=0.1, lr=0.01``. Empty without a grid.
        options: ``KEY=VALUE`` with whole keys, as ``--cfg-options`` takes them.
        folder: Name of its folder. Empty without a grid.
    """

    name: str = ""
    options: tuple[str, ...] = ()
    folder: str = ""


def read_grid(items: Sequence[str], cfg: Mapping[str, Any]) -> list[Setting]:
    """Return every combination of the values, the first key changing slowest.

    Args:
        items: ``KEY=VALUE,VALUE,…`` each; a key may be the end of one, such as ``gate_lr``.
        cfg: The configuration without them.

    Returns:
        The settings; a single one without options if there are no items.

    Raises:
        UserError: If an item has another form, a key is unknown or stands for several, or a key or
            a value is given twice.
    """
    if not items:
        return [Setting()]
    axes: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        name, separator, text = item.partition("=")
        if not separator or not name or not text:
            raise UserError(f"--grid {item}: it has the form KEY=VALUE,VALUE,…; write it so.")
        key = whole_key(name, cfg)
        if key in axes:
            raise UserError(f"--grid: {key} is given twice; give all its values at once.")
        axes[key] = _values(item, text)
    labels = _labels(list(axes))
    return [
        _setting(dict(zip(axes, values, strict=True)), labels)
        for values in itertools.product(*axes.values())
    ]


def whole_key(name: str, cfg: Mapping[str, Any]) -> str:
    """Return the dotted key of a configuration that a short name stands for.

    Args:
        name: A whole key, which needn't be set yet, or the end of a key that is set.
        cfg: The configuration.

    Raises:
        UserError: If no key or several keys end so; names them with their values.
    """
    if name.partition(".")[0] in READ:
        return name
    keys = dict(_keys({key: value for key, value in cfg.items() if key in READ}))
    found = [key for key in keys if key.endswith(f".{name}")]
    if not found:
        ends = {key.rpartition(".")[2] for key in keys}
        raise UserError(
            f"--grid {name}: no key of the configuration ends so{did_you_mean(name, ends)}; a "
            "setting that isn't in it needs its whole key, such as train_cfg.gate_lr."
        )
    if len(found) > 1:
        choice = shorten([f"{key} (now {one_line(keys[key], 30)})" for key in found], "; ")
        raise UserError(f"--grid {name} can mean {choice}. Write more of the key.")
    return found[0]


def _keys(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items: Any = ()
    if isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        yield f"{path}{key}", value
        yield from _keys(value, f"{path}{key}.")


def _values(item: str, text: str) -> list[tuple[str, str]]:
    """Split the values of an item; each as written, and as it reads."""
    found: dict[str, str] = {}
    for part in split_values(text):
        try:
            shown = str(ConfigOptions.read(part))
        except (ValueError, SyntaxError, AssertionError) as error:
            raise UserError(f"--grid {item}: {part!r} can't be read: {error}.") from None
        if not part or shown in found:
            problem = f"the value {shown} stands there twice" if part else "a value is empty"
            raise UserError(f"--grid {item}: {problem}; leave it out.")
        found[shown] = part
    return [(part, shown) for shown, part in found.items()]


def split_values(text: str) -> list[str]:
    """Split at commas that stand in no bracket and no quotes."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES:
            quote = sign
        depth += 0 if quote else (sign in _OPENING) - (sign in _CLOSING)
        if sign == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _labels(keys: Sequence[str]) -> dict[str, str]:
    """Return a short name for each key: its last part where that tells them apart."""
    ends = [key.rpartition(".")[2] for key in keys]
    return {
        key: key if end.isdigit() or ends.count(end) > 1 else end
        for key, end in zip(keys, ends, strict=True)
    }


def _setting(values: Mapping[str, tuple[str, str]], labels: Mapping[str, str]) -> Setting:
    words = {key: f"{labels[key]}={shown}" for key, (_, shown) in values.items()}
    options = tuple(f"{key}={written}" for key, (written, _) in values.items())
    # sorted: the order of --grid must not matter when the grid is continued
    return Setting(", ".join(words.values()), options, _folder(sorted(words.values())))


def _folder(words: Sequence[str]) -> str:
    text = ",".join(words)
    name = re.sub(r"[^\w.+=,-]+", "_", text)
    if name == text and len(name) <= _LONGEST_NAME:
        return name
    # 8 digits tell apart what looks alike without the signs that a name can't hold
    begin, end = name[:_LONGEST_NAME], hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{begin}-{end}"
