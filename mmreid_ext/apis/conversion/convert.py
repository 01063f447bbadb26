"""Turn a checkpoint of another program into one of ours, with all that its use needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmreid_ext.apis.configuration import as_config, find_config, without_downloads
from mmreid_ext.checkpoint.converting import (
    Fit,
    Guess,
    Source,
    Translated,
    fit,
    guess_source,
    read_foreign,
    require_complete,
    source_named,
    translate,
)
from mmreid_ext.checkpoint.fingerprint import file_sha256
from mmreid_ext.checkpoint.plain import to_plain
from mmreid_ext.checkpoint.usage import KEY, deployment_info, describe_config, model_settings
from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.registry import MODELS
from mmreid_ext.shorten import one_line

_IDENTITIES = "model.head.num_classes"


class Conversion(NamedTuple):
    """What came of a conversion.

    Attributes:
        source: The program that the file was taken for.
        seen: Names of weights by which it was recognised; empty where it was given.
        config: File of the configuration.
        options: Settings that were changed in it, as the weights show them.
        assumed: What the weights don't show; empty where the configuration was given.
        translated: The weights under our names, and what was left out.
        fit: What of them the model takes.
        record: How to use the checkpoint, see :mod:`mmreid_ext.checkpoint.usage`.
    """

    source: Source
    seen: list[str]
    config: Path
    options: dict[str, Any]
    assumed: str
    translated: Translated
    fit: Fit
    record: dict[str, Any]


def convert_checkpoint(
    file: str | os.PathLike,
    out: str | os.PathLike,
    source: str | None = None,
    config: str | os.PathLike | None = None,
    partial: bool = False,
) -> Conversion:
    """Convert a checkpoint. Nothing in the file is executed.

    Args:
        file: The checkpoint of another program.
        out: Where to write ours. It is used as every checkpoint of this package is.
        source: Name of the program, see :data:`mmreid_ext.checkpoint.converting.SOURCES`. None:
            guessed by the names of the weights.
        config: The configuration that computes what the file's network does: a file, or the name of
            one of ours. None: chosen by the weights.
        partial: Whether weights without a place, and places without a weight, are passed over. Such
            a checkpoint is something to train on; its embeddings are not the file's.

    Raises:
        MissingFileError: If there is no such file or configuration.
        UserError: If the file can't be read, isn't recognised, or isn't complete.
    """
    weights = read_foreign(file)
    guess = Guess(source_named(source), []) if source is not None else guess_source(weights)
    program = guess.source
    choice = None if config is not None else program.choose(weights)
    path = find_config(choice.config if choice else str(config))
    cfg = as_config(path)
    translated = translate(program, weights)
    options = dict(choice.options) if choice else _identities(cfg, translated)
    cfg.merge_from_dict({name: _whole(value) for name, value in options.items()})
    model = _build(cfg)
    found = fit(translated, model.state_dict())
    if not partial:
        require_complete(found, program.title, path.name)
    model.load_state_dict(found.state, strict=False)
    record = _record(model, cfg)
    record["converted"] = _origin(file, program, found)
    _write(out, model, record)
    assumed = choice.assumed if choice else ""
    return Conversion(program, guess.seen, path, options, assumed, translated, found, record)


def _whole(value: Any) -> Any:
    """Let a dict take the place of what a configuration has, instead of joining it."""
    return {"_delete_": True, **value} if isinstance(value, Mapping) else value


def _identities(cfg: Config, translated: Translated) -> dict[str, Any]:
    """Let the classifier of a given configuration have the file's number of identities."""
    given = translated.state.get("head.classifier.weight")
    own = cfg.model.head.get("num_classes")
    return {} if given is None or own in (None, len(given)) else {_IDENTITIES: len(given)}


def _build(cfg: Config) -> nn.Module:
    settings = model_settings(cfg)
    if settings is None:
        raise UserError(f"{cfg.filename}: there is no `model`; give a configuration of a network.")
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or "mmpretrain"):
        model = MODELS.build(without_downloads(settings))
    model.eval()
    return model


def _record(model: nn.Module, cfg: Config) -> dict[str, Any]:
    steps = evaluation_steps(cfg)
    if steps is None:
        raise UserError(
            f"{cfg.filename}: there are no test images, test_dataloader.dataset.pipeline, so how "
            "to prepare an image is unknown; give a configuration that tests."
        )
    network = dict(cfg.model)
    record = deployment_info(model, steps.transforms, network, steps.loader)
    record["config"] = describe_config(cfg)
    return record


def _origin(file: str | os.PathLike, source: Source, found: Fit) -> dict[str, Any]:

    digest = file_sha256(file)
    name = one_line(Path(file).name, 200)
    return {"from": source.name, "file": name, "sha256": digest, "complete": found.complete}


def _write(out: str | os.PathLike, model: nn.Module, record: Mapping[str, Any]) -> None:
    content = {"meta": {KEY: record}, "state_dict": model.state_dict()}
    with atomic_open(out, "wb") as file:
        torch.save(to_plain(content), file)
