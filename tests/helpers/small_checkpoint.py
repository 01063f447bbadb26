"""A tiny model with its images: a checkpoint that needs no configuration beside it."""

from pathlib import Path
from types import SimpleNamespace

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.registry import MODELS

from .tiny_config import write_tiny_config


def write_small_checkpoint(
    folder: Path,
    name: str = "model.pth",
    seed: int = 0,
    options: dict | None = None,
    **record,
) -> Path:
    """Write images ``0.png``, ... and a checkpoint into ``folder``.

    Args:
        folder: Where.
        name: Of the checkpoint.
        seed: Another one gives another model.
        options: Settings of the configuration to change, by their path.
        record: What to add to the checkpoint's record of use, such as ``thresholds``.
    """
    cfg = Config.fromfile(write_tiny_config(folder))
    cfg.merge_from_dict(options or {})
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    content = dict(state_dict=model.state_dict(), meta={})
    DeploymentInfoHook().before_save_checkpoint(SimpleNamespace(model=model, cfg=cfg), content)
    content["meta"]["mmreid_ext"] |= record
    torch.save(content, folder / name)
    return folder / name
