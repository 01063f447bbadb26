"""Embed pooled features by one linear layer, with or without an identity classifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .reid_head import ReIDFeatures, ReIDHead


@MODELS.register_module()
class EmbeddingHead(ReIDHead):
    """Head of XBM and of the ArcMargin stage: ``feats -> linear -> embeddings [-> logits]``.

    Metric losses, the classifier and retrieval all read the same embedding; it is L2-normalised for
    retrieval, and by the losses that want it so.

    Args:
        in_channels: Size of the pooled features.
        losses: Loss configurations by name, see :class:`ReIDHead`.
        embedding_dim: Size D of the embedding; 0 keeps the pooled features. Defaults to 128.
        num_classes: Identities in the training set; None (the default) builds no classifier.
        classifier: Configuration of a classifier called with embeddings and labels, such as
            ``dict(type='mmreid_ext.ArcMarginLinear', margin=0.15, scale=80)``; sizes are filled in.
            Defaults to a linear layer (softmax).
        embedding_init: ``'default'``: PyTorch's linear initialisation; ``'kaiming_fan_out'``:
            N(0, 2/D) and bias 0, XBM's.
        train_losses: Names used by an ordinary training step. Defaults to all.
        init_cfg: See MMEngine's ``BaseModule``.
        same_identities: Whether the checkpoint given as ``load_from`` was trained on the same
            identities in the same order, that is on the same data set: classifier and centres are
            then taken over. Defaults to False.

    Raises:
        ValueError: Unknown ``embedding_init``, a classifier without ``num_classes``, or a loss that
            reads logits without either.

    References:
        X. Wang, H. Zhang, W. Huang, M. R. Scott, "Cross-Batch Memory for Embedding Learning",
        CVPR 2020, https://arxiv.org/abs/1912.06798.
    """

    def __init__(
        self,
        in_channels: int,
        losses: Mapping[str, dict],
        embedding_dim: int = 128,
        num_classes: int | None = None,
        classifier: dict | None = None,
        embedding_init: str = "default",
        train_losses: Sequence[str] | None = None,
        init_cfg: dict | None = None,
        same_identities: bool = False,
    ) -> None:
        super().__init__(losses, train_losses, init_cfg, same_identities)
        if embedding_init not in ("default", "kaiming_fan_out"):
            raise UserError(
                f"EmbeddingHead: embedding_init={embedding_init!r} is unknown; "
                "use 'default' or 'kaiming_fan_out'."
            )
        if num_classes is None and (classifier is not None or self._reads_logits(losses)):
            raise UserError(
                "EmbeddingHead: num_classes=None, but the classifier needs a number; "
                "set `model.head.num_classes` to the number of training identities, "
                "or drop the losses that read logits."
            )
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.embedding_dim = embedding_dim or in_channels
        self.embedding: nn.Module = nn.Identity()
        if embedding_dim:
            self.embedding = linear = nn.Linear(in_channels, embedding_dim)
            if embedding_init == "kaiming_fan_out":
                nn.init.kaiming_normal_(linear.weight, mode="fan_out")
                nn.init.zeros_(linear.bias)
        self.classifier: nn.Module | None = None
        if num_classes is not None:
            self.classifier = self._build_classifier(classifier, num_classes)

    def _reads_logits(self, names: Iterable[str]) -> bool:
        return any("logits" in self._loss_inputs[name] for name in names)

    def _build_classifier(self, cfg: dict | None, num_classes: int) -> nn.Module:
        if cfg is None:
            return nn.Linear(self.embedding_dim, num_classes)
        sizes = dict(in_features=self.embedding_dim, num_classes=num_classes)
        return MODELS.build({**cfg, **sizes})

    def forward(self, feats: Tensor) -> ReIDFeatures:
        """Embed pooled features (N, in_channels); logits wait for the labels."""
        self.check_feature_size(feats, self.in_channels)
        embeddings = self.embedding(feats)
        return ReIDFeatures(embeddings, embeddings, None)

    def embed(self, feats: Tensor) -> Tensor:
        """Compute L2-normalised float32 embeddings (N, D) for retrieval."""
        self.check_feature_size(feats, self.in_channels)
        return F.normalize(self.embedding(feats).float())

    def loss(
        self,
        features: ReIDFeatures,
        pids: Tensor,
        domains: Tensor,
        names: Sequence[str] | None = None,
    ) -> dict[str, Tensor]:
        """Compute weighted losses; the classifier runs only if one of them reads logits."""
        names = self.train_losses if names is None else names
        if self.classifier is not None and self._reads_logits(names):
            # A linear layer knows no labels; others take their margin from them.
            labels = () if isinstance(self.classifier, nn.Linear) else (pids,)
            features = features._replace(logits=self.classifier(features.embeddings, *labels))
        return super().loss(features, pids, domains, names)
