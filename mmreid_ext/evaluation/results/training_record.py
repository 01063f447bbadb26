"""Read from a checkpoint how it was trained."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mmreid_ext.json_values import full_name, plain_json

from .image_names import without_folders

# What a run may have otherwise and still be the same training.
_ELSEWHERE = (
    *("work_dir", "resume", "launcher", "log_level", "experiment_name", "visualizer", "seed"),
    *("randomness.seed", "env_cfg", "log_processor", "default_hooks.logger", "filename"),
    "model_wrapper_cfg",
)
_WORKERS = ("num_workers", "persistent_workers", "pin_memory", "prefetch_factor")


def training_record(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return seed, length and settings of a training, from the ``meta`` of its checkpoint.

    Args:
        meta: As MMEngine writes it. Nothing in it is executed.

    Returns:
        ``seed``, ``iter``, ``epoch`` (None where unknown), ``config`` (flat settings, see
        :func:`flat_config`) and their ``fingerprint``: empty and None where the checkpoint holds
        no configuration.
    """
    meta = meta if isinstance(meta, Mapping) else {}
    numbers = {key: _number(meta.get(key)) for key in ("seed", "iter", "epoch")}
    settings = parse_config(meta.get("cfg"))
    begun_from = settings.pop("begun_from", None)
    if settings.get("resume"):  # load_from is then the file that it went on from, or None
        settings["load_from"] = begun_from
    config = flat_config(settings)
    return {**numbers, "fingerprint": fingerprint(config) if config else None, "config": config}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_config(text: Any) -> dict[str, Any]:
    """Read the settings in a configuration's text (``Config.pretty_text``) without running it.

    Values that are no literals, such as classes, stay text. Empty if the text is none.
    """
    try:
        body = ast.parse(text).body if isinstance(text, str) else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for line in body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = _literal(line.value)
    return found


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict" and not node.args:
        return {word.arg: _literal(word.value) for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = ["**" if key is None else _literal(key) for key in node.keys]
        return dict(zip(map(str, keys), map(_literal, node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(item) for item in node.elts]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def flat_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings by dotted key, without those that don't change the outcome of a training.

    Left out are folders of this machine (absolute paths keep their last part), seed, log, launcher
    and worker processes.

    Args:
        config: Nested settings, as in a configuration file.
    """
    flat = _flatten(without_folders(plain_json(config, full_name, finite=False)), "")
    return {
        key: value
        for key, value in flat.items()
        if not any(key == word or key.startswith(f"{word}.") for word in _ELSEWHERE)
        and key.rpartition(".")[2] not in _WORKERS
    }


def _flatten(value: Any, prefix: str) -> dict[str, Any]:
    if isinstance(value, Mapping) and (value or not prefix):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        items = enumerate(value)
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat |= _flatten(item, f"{prefix}.{key}" if prefix else str(key))
    return flat


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return SHA-256 of flat settings, whatever their order."""
    text = json.dumps(dict(config), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
