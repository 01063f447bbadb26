"""Registries: what they hold is found by its name alone, and the host's modules through them."""

import pytest
from helpers.tools import run_python
from mmengine.registry import Registry

from mmreid_ext import registry

REGISTRIES = {name: x for name, x in vars(registry).items() if isinstance(x, Registry)}


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_registry_is_a_child_of_the_engines_with_our_scope(name):
    from mmengine import registry as root

    ours = REGISTRIES[name]
    assert ours.scope == "mmreid_ext" and ours.parent is getattr(root, name)


NAMES = {
    "MODELS": "ReIDModel",
    "DATASETS": "Market1501",
    "DATA_SAMPLERS": "PKSampler",
    "TRANSFORMS": "PackReIDInputs",
    "FUNCTIONS": "reid_collate",
    "METRICS": "ReIDMetric",
    "LOOPS": "MetaBINTrainLoop",
    "HOOKS": "DeploymentInfoHook",
    "OPTIM_WRAPPER_CONSTRUCTORS": "ReIDOptimWrapperConstructor",
}


@pytest.mark.slow  # a process that has imported nothing of ours
def test_names_are_found_by_their_prefix_alone():
    """As in a configuration without ``custom_imports``."""
    code = "from mmengine import registry as root\n" + "\n".join(
        f"assert root.{name}.get('mmreid_ext.{entry}').__name__ == {entry!r}, {entry!r}"
        for name, entry in NAMES.items()
    )
    result = run_python(code)
    assert result.returncode == 0, result.stderr[-2000:]


def test_modules_of_the_host_are_reached_through_ours():
    assert registry.MODELS.get("mmpretrain.ResNet").__name__ == "ResNet"
    assert registry.METRICS.get("mmpretrain.Accuracy").__name__ == "Accuracy"
