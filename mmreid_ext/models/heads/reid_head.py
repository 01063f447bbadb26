"""Call configured losses by the names of their arguments, for every head.

Shapes: N images, D dimensions of a feature.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.losses.full_precision import widen
from mmreid_ext.models.losses.global_batch import one_gather
from mmreid_ext.registry import MODELS

from .loss_arguments import loss_arguments


class ReIDFeatures(NamedTuple):
    """Hold what a head computes for a batch.

    Attributes:
        feats: What metric losses compare, (N, D).
        embeddings: What retrieval compares and the classifier reads, (N, D).
        logits: Identity scores, (N, num_classes); None where they need the labels or there is no
            classifier.
    """

    feats: Tensor
    embeddings: Tensor
    logits: Tensor | None


class ReIDHead(BaseModule, metaclass=ABCMeta):
    """Losses by name, and which of them an ordinary training step uses.

    A loss is called by the names of its arguments, see
    :data:`.loss_arguments.LOSS_ARGUMENTS`; anything with such a ``forward`` is a valid loss. Floats
    are float32 at least, and losses that compare ``feats`` of all ranks share one gather.

    Args:
        losses: Loss configurations by name. An extra key ``loss_weight`` multiplies the loss
            (default 1).
        train_losses: Names used by an ordinary training step. Defaults to all.
        init_cfg: See MMEngine's ``BaseModule``.
        same_identities: Whether the checkpoint given as ``load_from`` was trained on the same
            identities in the same order, that is on the same data set: classifier and centres are
            then taken over. Defaults to False.
    """

    identity_state = ("classifier",)  # see mmreid_ext.checkpoint.fine_tuning

    def __init__(
        self,
        losses: Mapping[str, dict],
        train_losses: Sequence[str] | None = None,
        init_cfg: dict | None = None,
        same_identities: bool = False,
    ) -> None:
        super().__init__(init_cfg)
        self.same_identities = same_identities
        self.loss_weights = {
            name: float(cfg.get("loss_weight", 1.0)) for name, cfg in losses.items()
        }
        self.losses = nn.ModuleDict(
            {
                name: MODELS.build({k: v for k, v in cfg.items() if k != "loss_weight"})
                for name, cfg in losses.items()
            }
        )
        self._loss_inputs = {name: loss_arguments(name, loss) for name, loss in self.losses.items()}
        self.train_losses = self.check_loss_names(losses if train_losses is None else train_losses)

    @abstractmethod
    def forward(self, feats: Tensor) -> ReIDFeatures:
        """Compute all that the losses need from pooled features (N, in_channels)."""

    @abstractmethod
    def embed(self, feats: Tensor) -> Tensor:
        """Compute L2-normalised float32 embeddings (N, D) of pooled features, for retrieval."""

    def check_loss_names(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return ``names`` as a tuple.

        Raises:
            ValueError: If a name isn't among the configured losses.
        """
        names = tuple(names)
        unknown = [name for name in names if name not in self.losses]
        if unknown:
            raise UserError(
                f"Unknown loss {', '.join(unknown)}; "
                f"the head's `losses` has {', '.join(self.losses)}."
            )
        return names

    def check_feature_size(self, feats: Tensor, in_channels: int) -> None:
        """Check that pooled features are (N, in_channels).

        Raises:
            ValueError: If they aren't; names the setting to change.
        """
        if feats.dim() != 2 or feats.shape[1] != in_channels:
            raise UserError(
                f"{type(self).__name__}: in_channels={in_channels}, "
                f"but features have shape {tuple(feats.shape)}; "
                "set `model.head.in_channels` to the backbone's feature size, "
                "and a pooling neck for maps."
            )

    def losses_of(
        self, feats: Tensor, pids: Tensor, domains: Tensor, names: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Compute weighted losses of pooled features (N, in_channels): both passes of a step.

        The other arguments, and the result, are those of :meth:`loss`.
        """
        return self.loss(self(feats), pids, domains, names)

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
        terms: dict[str, Tensor] = {}
        with one_gather(features.feats, pids, domains) as feats:
            available = dict(
                feats=feats,
                embeddings=widen(features.embeddings),
                logits=widen(features.logits),
                pids=pids,
                domains=domains,
            )
            for name in self.train_losses if names is None else names:
                wanted = {key: available[key] for key in self._loss_inputs[name]}
                value = self.losses[name](**wanted)
                if not isinstance(value, Mapping):
                    value = {"": value}
                for suffix, term in value.items():
                    key = f"loss_{name}" + suffix.removeprefix("loss")
                    terms[key] = self.loss_weights[name] * term
        return terms
