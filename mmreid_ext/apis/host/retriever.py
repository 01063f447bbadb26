"""Make of a trained model what MMPretrain's retrieval inferencer takes."""

from __future__ import annotations

import os
from typing import Any

import torch
from mmengine.config import Config
from mmpretrain.models.retrievers import ImageToImageRetriever
from torch import Tensor

from mmreid_ext.apis.configuration import ConfigLike, as_config, checkpoint_and_config
from mmreid_ext.apis.inferencer import ReIDInferencer
from mmreid_ext.checkpoint.usage import config_of
from mmreid_ext.checkpoint.weights import read_checkpoint

from .host_config import in_host_form


def as_retriever(
    config: ConfigLike | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device | None = None,
    topk: int = -1,
) -> ImageToImageRetriever:
    """Return a trained model as MMPretrain's retriever, for its ``ImageRetrievalInferencer``.

    The embeddings are those of :class:`mmreid_ext.apis.ReIDInferencer`. Its ``search`` and
    ``tools/gallery.py`` need less memory and know more; this is for programs that use MMPretrain's.

    Args:
        config: As of :class:`mmreid_ext.apis.ReIDInferencer`.
        checkpoint: As there.
        device: As there.
        topk: Length of the lists; -1: all of the gallery.

    Raises:
        UserError: As there.

    Example:
        >>> from mmpretrain import ImageRetrievalInferencer
        >>> retriever = as_retriever('best.pth')  # doctest: +SKIP
        >>> find = ImageRetrievalInferencer(retriever, prototype='photos')  # doctest: +SKIP
        >>> find('query.jpg', topk=3)  # doctest: +SKIP
    """
    inferencer = ReIDInferencer(config, checkpoint, device)
    model: Any = inferencer.model
    retriever = ImageToImageRetriever(
        model, prototype=torch.empty(0, inferencer.size), similarity_fn=_cosines, topk=topk
    )
    retriever.data_preprocessor = model.data_preprocessor
    retriever._config = _host_config(config, checkpoint)
    return retriever.to(inferencer.device).eval()


def _cosines(queries: Tensor, gallery: Tensor) -> Tensor:
    """Compare rows of unit length; MMPretrain's own form makes an array of Q x G x D numbers."""
    return queries @ gallery.T


def _host_config(config: ConfigLike | None, checkpoint: str | os.PathLike | None) -> Config:
    file, given = checkpoint_and_config(config, checkpoint)
    cfg = config_of(read_checkpoint(file), file) if given is None else as_config(given)
    host = in_host_form(cfg)
    host.setdefault("test_dataloader", host.get("val_dataloader"))
    return host
