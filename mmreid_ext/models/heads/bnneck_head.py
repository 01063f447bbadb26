"""Classify identities behind a batch-norm neck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmreid_ext.distributed import get_rank, get_world_size
from mmreid_ext.errors import UserError
from mmreid_ext.models.losses.global_batch import one_gather, rows_of_all_ranks
from mmreid_ext.models.norms import SyncBatchNorm
from mmreid_ext.registry import MODELS

from .reid_head import ReIDFeatures, ReIDHead


@MODELS.register_module()
class BNNeckHead(ReIDHead):
    """Identity head of the strong baseline and of MetaBIN.

    ``feats -> batch norm -> embeddings -> linear -> logits``. Batch statistics of the neck are
    those of all ranks. Metric losses read ``feats``, the pooled features before the neck.

    Args:
        num_classes: Identities in the training set.
        in_channels: Feature size D.
        losses: Loss configurations by name, see :class:`ReIDHead`.
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
        same_identities: Whether the checkpoint given as ``load_from`` was trained on the same
            identities in the same order, that is on the same data set: classifier and centres are
            then taken over. Defaults to False.

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
        same_identities: bool = False,
    ) -> None:
        super().__init__(losses, train_losses, init_cfg, same_identities)
        if classifier_init not in ("normal", "uniform"):
            raise UserError(
                f"BNNeckHead: classifier_init={classifier_init!r} must be 'normal' or 'uniform'."
            )
        if test_feature not in ("embeddings", "feats"):
            raise UserError(
                f"BNNeckHead: test_feature={test_feature!r} must be 'embeddings' or 'feats'."
            )
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.classifier_init = classifier_init
        self.test_feature = test_feature
        self.neck = self._build_neck(norm_cfg, neck_bias) if with_neck else nn.Identity()
        self.classifier = nn.Linear(in_channels, num_classes, bias=classifier_bias)
        self._reset_classifier()

    def _build_neck(self, norm_cfg: dict | None, neck_bias: bool) -> nn.Module:
        cfg = dict(norm_cfg or {}, num_features=self.in_channels)
        cfg.setdefault("type", "mmreid_ext.SyncBN")
        neck = MODELS.build(cfg)
        neck.bias.requires_grad_(neck_bias)
        return neck

    def _reset_classifier(self) -> None:
        if self.classifier_init == "normal":
            # The strong baseline's deviation: all classes start about equally likely.
            nn.init.normal_(self.classifier.weight, std=0.001)
            if self.classifier.bias is not None:
                nn.init.zeros_(self.classifier.bias)
        else:
            # PyTorch's own for a linear layer of this size.
            bound = 1 / math.sqrt(self.in_channels)
            nn.init.uniform_(self.classifier.weight, -bound, bound)

    def forward(self, feats: Tensor) -> ReIDFeatures:
        """Compute embeddings and logits of pooled features (N, D)."""
        self.check_feature_size(feats, self.in_channels)
        embeddings = self._through_neck(feats)
        return ReIDFeatures(feats, embeddings, self.classifier(embeddings))

    def _through_neck(self, feats: Tensor) -> Tensor:
        if isinstance(self.neck, SyncBatchNorm) and self.neck.training:
            rows = rows_of_all_ranks(feats)
            if rows is not None:  # gathered for the losses: the neck needs no message of its own
                embeddings = self.neck.normalize_rows_of_all_ranks(rows)
                return embeddings.chunk(get_world_size())[get_rank()].to(feats.dtype)
        return self.neck(feats)

    def losses_of(
        self, feats: Tensor, pids: Tensor, domains: Tensor, names: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Compute weighted losses; neck and losses share one gather if a loss wants it anyway."""
        if not any(self._gathers(name) for name in (self.train_losses if names is None else names)):
            return super().losses_of(feats, pids, domains, names)
        with one_gather(feats, pids, domains):
            return super().losses_of(feats, pids, domains, names)

    def _gathers(self, name: str) -> bool:
        across_ranks = getattr(self.losses[name], "across_ranks", False)
        return bool(across_ranks) and "feats" in self._loss_inputs[name]

    def embed(self, feats: Tensor) -> Tensor:
        """Compute L2-normalised float32 embeddings (N, D) for retrieval."""
        chosen = self.neck(feats) if self.test_feature == "embeddings" else feats
        return F.normalize(chosen.float())
