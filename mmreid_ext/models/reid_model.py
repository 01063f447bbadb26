"""Join any MMPretrain backbone, pooling and a re-ID head to one network.

Shapes: N images of H x W pixels, D dimensions of a feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.heads import ReIDFeatures
from mmreid_ext.models.norms import BatchInstanceNorm2d
from mmreid_ext.registry import MODELS

from .backbones.joined_blocks import join_branches
from .batch_targets import read_targets
from .position_embeddings import resize_when_loaded
from .stems import remove_stem_relu, set_stem_pool

# ImageNet's, of pixels in [0, 255], as MMPretrain's backbones know them. Images arrive as BGR.
IMAGENET_PREPROCESSOR = dict(
    type="mmreid_ext.ReIDDataPreprocessor",
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
)


@MODELS.register_module()
class ReIDModel(BaseModel):
    """Backbone, pooling and head, with the L2-normalised embedding as output.

    Args:
        backbone: Any MMPretrain backbone; its last stage, or a transformer's class token, is used.
        head: ``mmreid_ext.BNNeckHead`` (re-ID) or ``mmreid_ext.EmbeddingHead`` (metric learning).
        neck: Pooling, None if the backbone returns vectors. Defaults to MMPretrain's
            ``GlobalAveragePooling``.
        stem_relu: False removes the activation of the stem, as the strong baseline's ResNet does
            ("by history", say its authors; MetaBIN's has it). Defaults to True.
        stem_pool: ``'padded'`` or ``'ceil'`` (fast-reid's) for the pooling of a ResNet's stem, see
            :func:`.stems.set_stem_pool`. None leaves it as it is. Defaults to None.
        train_gates: Whether gates of batch-instance norms are ordinary weights. False leaves them
            to :class:`mmreid_ext.engine.MetaBINTrainLoop`: no gradient, no weight decay, no part in
            DDP.
        stage_plugins: Modules appended to stages of the backbone, by the stage's name, such as
            ``dict(layer1=dict(type='mmreid_ext.MixStyle'))``. Parameter names don't change.
        flip_test: Whether :meth:`embed` adds the embedding of the mirrored image. Defaults to
            False.
        channels_last: Whether weights and maps lie in memory as (N, H, W, C), see
            ``docs/performance.md``. Results differ by rounding. Defaults to False.
        compile_backbone: Whether the backbone runs through ``torch.compile``. Derivatives of second
            order are then not available. Defaults to False.
        data_preprocessor: Defaults to ImageNet mean and standard deviation of RGB images.
        init_cfg: See MMEngine's ``BaseModule``.

    Example:
        >>> model = dict(
        ...     type='mmreid_ext.ReIDModel',
        ...     backbone=dict(type='ResNet', depth=50, strides=(1, 2, 2, 1),
        ...                   norm_cfg=dict(type='mmreid_ext.BIN')),
        ...     head=dict(
        ...         type='mmreid_ext.BNNeckHead', num_classes=751, in_channels=2048,
        ...         losses=dict(ce=dict(type='mmreid_ext.LabelSmoothingLoss'),
        ...                     triplet=dict(type='mmreid_ext.BatchHardTripletLoss'))))
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        neck: dict | None = dict(type="mmpretrain.GlobalAveragePooling"),  # noqa: B006 (never modified)
        stem_relu: bool = True,
        stem_pool: str | None = None,
        train_gates: bool = False,
        stage_plugins: Mapping[str, dict] | None = None,
        flip_test: bool = False,
        channels_last: bool = False,
        compile_backbone: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor or dict(IMAGENET_PREPROCESSOR), init_cfg)
        self.flip_test = flip_test
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else MODELS.build(neck)
        self.head = MODELS.build(head)
        if not stem_relu:
            remove_stem_relu(self.backbone)
        if stem_pool is not None:
            set_stem_pool(self.backbone, stem_pool)
        for stage, plugin in (stage_plugins or {}).items():
            self._append_to_stage(stage, plugin)
        if not train_gates:
            for layer in self.bin_layers().values():
                layer.gate.requires_grad_(False)
        self.channels_last = channels_last
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)
        if compile_backbone:
            self.backbone.compile()
        resize_when_loaded(self.backbone)
        join_branches(self.backbone)

    def _append_to_stage(self, stage: str, plugin: dict) -> None:
        module = getattr(self.backbone, stage, None)
        if not isinstance(module, nn.Sequential):
            stages = [n for n, m in self.backbone.named_children() if isinstance(m, nn.Sequential)]
            raise UserError(
                f"ReIDModel: stage_plugins names the stage {stage!r}, "
                f"but {type(self.backbone).__name__} has {', '.join(stages) or 'no stages'}; "
                "use one of its own."
            )
        built = MODELS.build(plugin)
        module.add_module(type(built).__name__, built)

    def train(self, mode: bool = True) -> ReIDModel:
        """Set the mode; a backbone with ``norm_eval`` keeps its batch-instance norms in evaluation.

        MMPretrain does that for PyTorch's batch norms only.
        """
        super().train(mode)
        if getattr(self.backbone, "norm_eval", False):
            for layer in self.backbone.modules():
                if isinstance(layer, BatchInstanceNorm2d):
                    layer.eval()
        return self

    def bin_layers(self) -> dict[str, BatchInstanceNorm2d]:
        """Return batch-instance norms by their name in the model, in order of registration."""
        return {n: m for n, m in self.named_modules() if isinstance(m, BatchInstanceNorm2d)}

    def pool(self, inputs: Tensor) -> Tensor:
        """Compute pooled features (N, D) of preprocessed images (N, 3, H, W)."""
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        outputs = self.backbone(inputs)
        if self.neck is not None:
            outputs = self.neck(outputs)
        feats = outputs[-1] if isinstance(outputs, (tuple, list)) else outputs
        if feats.dim() != 2:
            raise UserError(
                f"ReIDModel: backbone and neck return {tuple(feats.shape)}, but must be (N, D); "
                "add a pooling neck, or `out_type='cls_token'` to a transformer."
            )
        return feats

    def extract(self, inputs: Tensor) -> ReIDFeatures:
        """Compute all features of preprocessed images (N, 3, H, W)."""
        return self.head(self.pool(inputs))

    def embed(self, inputs: Tensor) -> Tensor:
        """Compute L2-normalised float32 embeddings (N, D) of preprocessed images (N, 3, H, W).

        Tests, :class:`mmreid_ext.apis.ReIDInferencer` and exported models all call it.
        """
        embeddings = self.head.embed(self.pool(inputs))
        if self.flip_test:
            embeddings = F.normalize(embeddings + self.head.embed(self.pool(inputs.flip(-1))))
        return embeddings

    def extract_feat(self, inputs: Tensor, stage: str = "neck") -> Tensor | tuple[Tensor, ...]:
        """Compute features at a stage, for MMPretrain's feature extractor and CAM tool.

        Args:
            inputs: Preprocessed images, (N, 3, H, W).
            stage: ``'backbone'``: its outputs, a tuple of maps. ``'neck'``: the pooled features, a
                tuple of (N, D). ``'pre_logits'``: the embedding of :meth:`embed`, (N, D).

        Raises:
            UserError: If the stage is another word.
        """
        if stage == "pre_logits":
            return self.embed(inputs)
        if stage == "neck":
            return (self.pool(inputs),)
        if stage != "backbone":
            raise UserError(
                f"ReIDModel.extract_feat: stage={stage!r} is unknown; "
                "use 'backbone', 'neck' or 'pre_logits'."
            )
        outputs = self.backbone(inputs)
        return tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)

    def get_layer_depth(self, param_name: str) -> tuple[int, int]:
        """Return a weight's depth and the number of depths, for MMPretrain's layer-wise rates.

        Weights after the backbone belong to the last depth.

        Raises:
            UserError: If the backbone doesn't number its layers.
        """
        numbered, cause = getattr(self.backbone, "get_layer_depth", None), None
        if numbered is not None:
            try:
                return numbered(param_name, "backbone.")
            except NotImplementedError as error:  # MMPretrain's ResNets of fewer than 50 layers
                cause = error
        raise UserError(
            f"ReIDModel.get_layer_depth: {type(self.backbone).__name__} doesn't number its layers, "
            "so there is no learning rate by layer; use another optimiser constructor."
        ) from cause

    def forward(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = "tensor"
    ) -> Tensor | list[DataSample] | dict[str, Tensor]:
        """Run the network.

        Args:
            inputs: Preprocessed images, (N, 3, H, W).
            data_samples: One per image; needed by ``'loss'`` (labels), carried along by
                ``'predict'``.
            mode: ``'tensor'``, ``'predict'`` or ``'loss'``.

        Returns:
            L2-normalised float32 embeddings (N, D); the data samples with ``pred_embedding`` (D,)
            added to their identity, camera and role; or the losses by name.
        """
        if mode == "loss":
            if data_samples is None:
                raise UserError(
                    "ReIDModel: data_samples=None, but mode='loss' needs their labels; "
                    "give one data sample per image."
                )
            return self.loss_terms(inputs, data_samples)
        if mode not in ("tensor", "predict"):
            raise UserError(f"ReIDModel: mode={mode!r} must be 'tensor', 'predict' or 'loss'.")
        embeddings = self.embed(inputs)
        if mode == "tensor":
            return embeddings
        samples = data_samples if data_samples is not None else [DataSample() for _ in embeddings]
        for sample, embedding in zip(samples, embeddings, strict=True):
            sample.set_field(embedding, "pred_embedding")
        return samples

    def loss_terms(
        self, inputs: Tensor, data_samples: Sequence[DataSample], names: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Compute losses of a batch; ``names`` chooses among the head's (``train_losses``)."""
        pids, domains = read_targets(data_samples, inputs.device)
        return self.head.losses_of(self.pool(inputs), pids, domains, names)
