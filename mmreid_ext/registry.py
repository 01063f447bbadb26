"""Registries of the package: children of MMEngine's roots, so MMPretrain's modules stay reachable.

Configurations keep ``default_scope = 'mmpretrain'`` and write our modules as ``mmreid_ext.Name``.
MMEngine imports this file when it meets that prefix, and a registry's ``locations`` at its first
look-up. (``custom_imports`` of our configurations only runs the check of installed versions early.)

Whoever builds something of ours comes through this file, from a command line or from Python. So
here checkpoints become data: see :func:`mmreid_ext.compat.enable_safe_checkpoints`.
"""

from mmengine import registry as root
from mmengine.registry import Registry

from mmreid_ext.compat import (
    enable_safe_checkpoints,
    let_hooks_be_switched_off,
    share_batches_of_every_loop,
)

_SCOPE = "mmreid_ext"


def _child(parent: Registry, *locations: str) -> Registry:
    modules = [f"{_SCOPE}.{location}" for location in locations]
    return Registry(parent.name, parent=parent, scope=_SCOPE, locations=modules)


MODELS = _child(root.MODELS, "models")
DATASETS = _child(root.DATASETS, "datasets")
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "datasets.samplers")
TRANSFORMS = _child(root.TRANSFORMS, "datasets.transforms")
FUNCTIONS = _child(root.FUNCTIONS, "datasets.collate")
METRICS = _child(root.METRICS, "evaluation.reid_metric")
LOOPS = _child(root.LOOPS, "engine")
HOOKS = _child(root.HOOKS, "engine.hooks")
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, "engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, "engine")
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, "engine")
VISUALIZERS = _child(root.VISUALIZERS, "visualization")

enable_safe_checkpoints()
let_hooks_be_switched_off()
share_batches_of_every_loop()
