"""Parameter groups of the reference recipes."""

from __future__ import annotations

from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS
from torch import nn

from mmreid_ext.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class ReIDOptimWrapperConstructor:
    """Two groups, weights and biases, of the parameters that require a gradient.

    The official MetaBIN code doubles the learning rate of every parameter whose name contains "bias" (those of
    normalisation layers included, which MMEngine's ``bias_lr_mult`` leaves out) and decays all of them alike.
    Two groups instead of one per parameter also let the optimiser update them together.

    Args:
        optim_wrapper_cfg: ``type`` (default ``OptimWrapper``), ``optimizer`` and further arguments.
        paramwise_cfg: ``bias_lr_mult`` and ``bias_decay_mult``, both 1 by default.

    Raises:
        ValueError: If ``paramwise_cfg`` has other keys.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.optim_wrapper_cfg = dict(optim_wrapper_cfg)
        self.optimizer_cfg = dict(self.optim_wrapper_cfg.pop("optimizer"))
        self.paramwise_cfg = dict(bias_lr_mult=1.0, bias_decay_mult=1.0) | dict(paramwise_cfg or {})
        unknown = set(self.paramwise_cfg) - {"bias_lr_mult", "bias_decay_mult"}
        if unknown:
            raise ValueError(
                f"ReIDOptimWrapperConstructor knows bias_lr_mult and bias_decay_mult, not {sorted(unknown)}; "
                "MMEngine's DefaultOptimWrapperConstructor has more."
            )

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimiser of ``model`` and its wrapper."""
        weights, biases = [], []
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                (biases if "bias" in name else weights).append(parameter)
        bias_group = dict(params=biases)
        lr, decay = self.optimizer_cfg.get("lr"), self.optimizer_cfg.get("weight_decay")
        if lr is not None:
            bias_group["lr"] = lr * self.paramwise_cfg["bias_lr_mult"]
        if decay is not None:
            bias_group["weight_decay"] = decay * self.paramwise_cfg["bias_decay_mult"]
        groups = [group for group in (dict(params=weights), bias_group) if group["params"]]
        optimizer = OPTIMIZERS.build({**self.optimizer_cfg, "params": groups})
        wrapper = {"type": "OptimWrapper", **self.optim_wrapper_cfg, "optimizer": optimizer}
        return OPTIM_WRAPPERS.build(wrapper)
