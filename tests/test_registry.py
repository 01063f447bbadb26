"""Registries: what they hold is found by its name alone, and the host's modules through them."""

import pytest
from helpers.tools import run_python
from mmengine.registry import Registry

from mmreid_ext import registry
from mmreid_ext.protocols import CameraProtocol, SelfRetrievalProtocol, build_protocol, named

REGISTRIES = {name: x for name, x in vars(registry).items() if isinstance(x, Registry)}


@pytest.mark.parametrize("name", sorted(REGISTRIES.keys() - {"PROTOCOLS"}))
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
    "VISBACKENDS": "TensorboardTracker",
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


def test_protocols_have_a_registry_like_everything_else(monkeypatch):
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))

    @registry.PROTOCOLS.register_module()
    class Backwards(CameraProtocol):
        pass

    registry.PROTOCOLS.register_module(name=["back", "wards"], module=Backwards)
    for name in ("Backwards", "back", "wards", "mmreid_ext.Backwards"):
        assert registry.PROTOCOLS.get(name) is Backwards
        assert type(build_protocol(dict(type=name, ranks=(1,)))) is Backwards
        assert type(registry.PROTOCOLS.build(dict(type=name))) is Backwards
    assert registry.PROTOCOLS.get("camera") is CameraProtocol and "camera" in registry.PROTOCOLS
    assert registry.PROTOCOLS.get("camra") is None and len(registry.PROTOCOLS) > 12
    with pytest.raises(ValueError, match="'back' is .*Backwards already"):
        registry.PROTOCOLS.register_module(name="back", module=SelfRetrievalProtocol)
    with pytest.raises(TypeError, match="is no protocol"):
        registry.PROTOCOLS.register_module(module=int)


def test_modules_of_the_host_are_reached_through_ours():
    assert registry.MODELS.get("mmpretrain.ResNet").__name__ == "ResNet"
    assert registry.METRICS.get("mmpretrain.Accuracy").__name__ == "Accuracy"
