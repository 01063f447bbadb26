"""Registries of the package: children of MMEngine's roots, so MMPretrain's modules stay reachable.

``PROTOCOLS`` alone has no root: evaluation protocols are ours.

Configurations keep ``default_scope = 'mmpretrain'`` and write our modules as ``mmreid_ext.Name``.
MMEngine imports this file when it meets that prefix, and a registry's ``locations`` at its first
look-up. (``custom_imports`` of our configurations only runs the check of installed versions early.)

Whoever builds something of ours comes through this file, from a command line or from Python. So
here checkpoints become data, see :func:`mmreid_ext.compat.enable_safe_checkpoints`, and so does
YAML, see :mod:`mmreid_ext.config_files`.
"""

from collections.abc import Sequence
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

from mmreid_ext.compat import (
    enable_safe_checkpoints,
    let_hooks_be_switched_off,
    share_batches_of_every_loop,
)
from mmreid_ext.config_files import guard_registries, lay_out_once, never_call_from_yaml
from mmreid_ext.protocols import (
    EvaluationProtocol,
    build_protocol,
    protocol_classes,
    register_protocol,
)

_SCOPE = "mmreid_ext"


def _child(parent: Registry, *locations: str) -> Registry:
    modules = [f"{_SCOPE}.{location}" for location in locations]
    return Registry(parent.name, parent=parent, scope=_SCOPE, locations=modules)


class ProtocolRegistry(Registry):
    """Show the names of :mod:`mmreid_ext.protocols` as a registry of MMEngine.

    It holds nothing itself: protocols stay free of MMEngine, and there is one list of names.
    """

    @property
    def module_dict(self) -> dict[str, type[EvaluationProtocol]]:
        """The class behind each name."""
        return protocol_classes()

    def __len__(self) -> int:
        return len(self.module_dict)

    def get(self, key: str) -> type[EvaluationProtocol] | None:
        """Return the class of a name, None if there is none."""
        return self.module_dict.get(key.removeprefix(f"{_SCOPE}."))

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> EvaluationProtocol:
        """Build a protocol from anything that :func:`build_protocol` takes."""
        return build_protocol(cfg, *args, **kwargs)

    def _register_module(
        self, module: type, module_name: str | Sequence[str] | None = None, force: bool = False
    ) -> None:
        names = (
            [module_name] if module_name is None or isinstance(module_name, str) else module_name
        )
        for name in names:
            register_protocol(name)(module)


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
VISBACKENDS = _child(root.VISBACKENDS, "visualization.trackers")
# MMEngine has no registry of protocols that this one could be a child of.
PROTOCOLS = ProtocolRegistry("protocol", scope=_SCOPE)

enable_safe_checkpoints()
never_call_from_yaml()
lay_out_once()
guard_registries()
let_hooks_be_switched_off()
share_batches_of_every_loop()
