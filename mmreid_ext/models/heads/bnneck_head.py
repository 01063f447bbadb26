"""Re-ID head: batch-norm neck, identity classifier and the losses of every training stage."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.registry import MODELS


class ReIDFeatures(NamedTuple):
    """What the head computes for a batch.

    Attributes:
        feats: Pooled features before the neck, (N, D); metric losses read these.
        embeddings: Features after the neck, (N, D); retrieval and the classifier read these.
        logits: Identity scores, (N, num_classes).
    """

    feats: Tensor
    embeddings: Tensor
    logits: Tensor


@MODELS.register_module()
class BNNeckHead(BaseModule):
    """Identity head of the strong baseline and of MetaBIN.

    ``feats -> batch norm -> embeddings -> linear -> logits``. Batch statistics of the neck are
    those of all ranks. Losses are called by the names of their arguments, drawn from ``feats``,
    ``logits``, ``pids`` (labels in [0, num_classes)) and ``domains``; anything with such a
    ``forward`` is a valid loss.

    Args:
        num_classes: Identities in the training set.
        in_channels: Feature size D.
        losses: Loss configurations by name. An extra key ``loss_weight`` multiplies the loss
            (default 1).
        train_losses: Names used by an ordinary training step. Defaults to all.
        with_neck: Whether there is a batch-norm neck. Defaults to True.
        neck_bias: Whether the neck's bias is trained. The reference freezes it at 0. Defaults to
            False.
        classifier_bias: Whether the classifier has a bias. Defaults to False.
        classifier_init: ``'normal'``: N(0, 0.001^2), the strong baseline's; ``'uniform'``:
            U(-1/sqrt(D), 1/sqrt(D)), which the official MetaBIN code really uses. A bias starts at
            0 with the former, from the same uniform distribution with the latter.
        test_feature: ``'embeddings'`` (after the neck) or ``'feats'`` (before) for retrieval.
        norm_cfg: Type and options of the neck. Defaults to ``dict(type='mmreid_ext.SyncBN')``.
        init_cfg: See MMEngine's ``BaseModule``.

    Luo et al., "Bag of Tricks and A Strong Baseline for Deep Person Re-identification", CVPRW 2019,
    https://arxiv.org/abs/1903.07071.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        losses: Mapping[str, dict],
        train_losses: Sequence[str] | None = None,
        with_neck: bool = True,
        neck_bias: bool = False,
        classifier_bias: bool = False,
        classifier_init: str = "normal",
        test_feature: str = "embeddings",
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if classifier_init not in ("normal", "uniform"):
            raise ValueError(
                f"classifier_init must be 'normal' or 'uniform', got {classifier_init!r}."
            )
        if test_feature not in ("embeddings", "feats"):
            raise ValueError(f"test_feature must be 'embeddings' or 'feats', got {test_feature!r}.")
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.classifier_init = classifier_init
        self.test_feature = test_feature
        self.neck = self._build_neck(norm_cfg, neck_bias) if with_neck else nn.Identity()
        self.classifier = nn.Linear(in_channels, num_classes, bias=classifier_bias)
        self._reset_classifier()
        self.loss_weights = {
            name: float(cfg.get("loss_weight", 1.0)) for name, cfg in losses.items()
        }
        self.losses = nn.ModuleDict(
            {
                name: MODELS.build({k: v for k, v in cfg.items() if k != "loss_weight"})
                for name, cfg in losses.items()
            }
        )
        self._loss_inputs = {
            name: tuple(inspect.signature(loss.forward).parameters)
            for name, loss in self.losses.items()
        }
        self.train_losses = self.check_loss_names(losses if train_losses is None else train_losses)

    def _build_neck(self, norm_cfg: dict | None, neck_bias: bool) -> nn.Module:
        cfg = dict(norm_cfg or {}, num_features=self.in_channels)
        cfg.setdefault("type", "mmreid_ext.SyncBN")
        neck = MODELS.build(cfg)
        neck.bias.requires_grad_(neck_bias)
        return neck

    def _reset_classifier(self) -> None:
        if self.classifier_init == "normal":
            nn.init.normal_(self.classifier.weight, std=0.001)
            if self.classifier.bias is not None:
                nn.init.zeros_(self.classifier.bias)
        else:
            bound = 1 / math.sqrt(self.in_channels)
            nn.init.uniform_(self.classifier.weight, -bound, bound)

    def check_loss_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return ``names`` as a tuple.

        Raises:
            ValueError: If a name isn't among the configured losses.
        """
        unknown = [name for name in names if name not in self.losses]
        if unknown:
            raise ValueError(
                f"Unknown loss {', '.join(unknown)}; the head's `losses` has "
                f"{', '.join(self.losses)}."
            )
        return tuple(names)

    def forward(self, feats: Tensor) -> ReIDFeatures:
        """Compute embeddings and logits of pooled features (N, D)."""
        if feats.dim() != 2 or feats.shape[1] != self.in_channels:
            raise ValueError(
                f"BNNeckHead(in_channels={self.in_channels}) got features of shape "
                f"{tuple(feats.shape)}: set `model.head.in_channels` to the backbone's feature "
                "size, and a pooling neck for maps."
            )
        embeddings = self.neck(feats)
        return ReIDFeatures(feats, embeddings, self.classifier(embeddings))

    def embed(self, feats: Tensor) -> Tensor:
        """L2-normalised float32 embeddings (N, D) for retrieval."""
        chosen = self.neck(feats) if self.test_feature == "embeddings" else feats
        return F.normalize(chosen.float())

    def loss(
        self,
        features: ReIDFeatures,
        pids: Tensor,
        domains: Tensor,
        names: Sequence[str] | None = None,
    ) -> dict[str, Tensor]:
        """Compute weighted losses.

        Args:
            features: Output of :meth:`forward`.
            pids: Labels (N,) in [0, num_classes).
            domains: Domain indices (N,).
            names: Which of the configured losses. Defaults to ``train_losses``.

        Returns:
            ``loss_<name>`` to 0-d tensors; losses that return several terms add their own suffix.
        """
        available = dict(features._asdict(), pids=pids, domains=domains)
        terms: dict[str, Tensor] = {}
        for name in self.train_losses if names is None else names:
            arguments = {key: available[key] for key in self._loss_inputs[name] if key in available}
            value = self.losses[name](**arguments)
            if not isinstance(value, Mapping):
                value = {"": value}
            for suffix, term in value.items():
                key = f"loss_{name}" + suffix.removeprefix("loss")
                terms[key] = self.loss_weights[name] * term
        return terms
