"""Store with every checkpoint what an application must do to use it."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_ext.engine.deployment_info import KEY, deployment_info
from mmreid_ext.registry import HOOKS


@HOOKS.register_module()
class DeploymentInfoHook(Hook):
    """Write ``meta['mmreid_ext']``: embedding size, normalisation and preprocessing, as plain data.

    Read it back with :func:`mmreid_ext.apis.read_deployment_info`. The preprocessing is that of the
    configuration's tests.

    Example:
        >>> default_hooks = dict(deployment_info=dict(type='mmreid_ext.DeploymentInfoHook'))
    """

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the information to ``checkpoint``, in place."""
        model = getattr(runner.model, "module", runner.model)
        checkpoint["meta"][KEY] = deployment_info(model, test_pipeline(runner.cfg))


def test_pipeline(cfg: dict) -> list[dict]:
    """Transforms of the test images, else of the validation images; empty without either."""
    for name in ("test_dataloader", "val_dataloader"):
        dataset = (cfg.get(name) or {}).get("dataset") or {}
        if dataset.get("pipeline"):
            return list(dataset["pipeline"])
    return []
